using System.Net;
using System.Text;
using Gateway.Admin;
using Gateway.Hosting.Configuration;
using Gateway.Hosting.EventLoop;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Hosting;

/// <summary>On every connection that came in through an admin listener, and on no other.</summary>
internal sealed class AdminConnection
{
    public static readonly AdminConnection Instance = new();
}

/// <summary>Opens the public and the admin listener, as endpoints of Kestrel's own configuration section.</summary>
internal static class Listeners
{
    public const string DefaultPublicUrl = "http://localhost:8080";

    private const string AdminEndpoint = "GatewayAdmin";
    private const string PublicEndpoint = "GatewayPublic";

    /// <summary>
    /// Public: <c>Kestrel:Endpoints</c> where configured (certificates, SNI, protocols per endpoint), else <c>Urls</c>,
    /// else <c>HTTP_PORTS</c> as container images set it, else <see cref="DefaultPublicUrl"/>. Admin: <c>Admin:Urls</c>.
    /// </summary>
    public static void Configure(KestrelServerOptions kestrel, ConfigurationCandidate candidate, AdminOptions admin, GatewayAddresses addresses)
    {
        var configured = candidate.Configuration.GetSection("Kestrel");
        var endpoints = new Dictionary<string, string?>();
        foreach (var (key, value) in configured.AsEnumerable(makePathsRelative: true).Where(pair => pair.Value is not null))
            endpoints[key] = value;

        var names = configured.GetSection("Endpoints").GetChildren().Select(endpoint => endpoint.Key).ToList();
        if (names.Count == 0)
            names.AddRange(Add(endpoints, PublicEndpoint, PublicUrls(candidate)));
        var adminNames = Add(endpoints, AdminEndpoint, Split(admin.Urls));

        var loader = kestrel.Configure(new ConfigurationBuilder().AddInMemoryCollection(endpoints).Build());
        foreach (var name in names)
            loader.Endpoint(name, endpoint => MarkPublic(endpoint.ListenOptions, addresses));
        foreach (var name in adminNames)
            loader.Endpoint(name, endpoint => MarkAdmin(endpoint.ListenOptions, addresses));
        addresses.AdminIsLocal = Split(admin.Urls).All(IsLocal);
    }

    /// <summary>What clients may send, and how fields are read.</summary>
    public static void ConfigureProtocol(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;

        // RFC 9110 §5.5: obs-text in field values is opaque data. Latin-1 maps each octet to one char and back;
        // with UTF-8 such a request would be refused and such a response become a 502.
        kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
        kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
    }

    public static string[] Split(string urls) =>
        urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Whether only this machine can reach <paramref name="url"/>. Kestrel binds any name but localhost to every address.</summary>
    public static bool IsLocal(string url)
    {
        var address = BindingAddress.Parse(url);
        return address.IsUnixPipe || address.IsNamedPipe
            || address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(address.Host, out var ip) && IPAddress.IsLoopback(ip));
    }

    /// <summary>Whether Kestrel can listen on <paramref name="url"/>.</summary>
    public static bool IsUrl(string url)
    {
        try
        {
            return BindingAddress.Parse(url).Scheme.ToLowerInvariant() is "http" or "https";
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>The URLs of the public listener where <c>Kestrel:Endpoints</c> names none.</summary>
    public static IReadOnlyList<string> PublicUrls(ConfigurationCandidate candidate)
    {
        if (candidate.TryGet("Urls", out var urls) && !string.IsNullOrWhiteSpace(urls))
            return Split(urls);
        if (candidate.TryGet("HTTP_PORTS", out var ports) && !string.IsNullOrWhiteSpace(ports))
            return [.. Split(ports).Select(port => $"http://*:{port}")];
        return [DefaultPublicUrl];
    }

    private static List<string> Add(Dictionary<string, string?> endpoints, string prefix, IReadOnlyList<string> urls)
    {
        var names = new List<string>();
        foreach (var url in urls)
        {
            var name = $"{prefix}{names.Count}";
            endpoints[$"Endpoints:{name}:Url"] = url;
            names.Add(name);
        }

        return names;
    }

    private static void MarkPublic(ListenOptions endpoint, GatewayAddresses addresses)
    {
        addresses.AddPublic(endpoint);
        SocketThreads.ShareTurns(endpoint);
    }

    private static void MarkAdmin(ListenOptions endpoint, GatewayAddresses addresses)
    {
        addresses.AddAdmin(endpoint);
        endpoint.Use(next => connection =>
        {
            connection.Features.Set(AdminConnection.Instance);
            return next(connection);
        });
        SocketThreads.ShareTurns(endpoint);
    }
}
