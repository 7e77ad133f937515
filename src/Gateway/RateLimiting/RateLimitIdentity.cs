using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Gateway.Hosting.Configuration;

namespace Gateway.RateLimiting;

/// <summary>What a part of an identity is taken from.</summary>
internal enum IdentitySource
{
    ClientIp,
    Route,
    Header,
    Claim,
    Host,
    Cookie,
}

/// <summary>One member of a limit's <c>By</c>.</summary>
internal readonly record struct IdentityPart(IdentitySource Source, string Name)
{
    public static IdentityPart ClientIp { get; } = new(IdentitySource.ClientIp, "");

    /// <summary>Whether a client can write what it likes there.</summary>
    public bool CanBeInvented => Source is IdentitySource.Header or IdentitySource.Cookie or IdentitySource.Host;

    private static bool HasName(IdentitySource source) => source is IdentitySource.Header or IdentitySource.Claim or IdentitySource.Cookie;

    public static bool TryParse(string text, out IdentityPart part)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? "" : text[(colon + 1)..];
        var isKnown = EnumName.TryParse<IdentitySource>(colon < 0 ? text : text[..colon], out var source);
        // Names of fields ignore case (RFC 9110 §5.1): written differently they are the same part.
        part = new IdentityPart(source, source == IdentitySource.Header ? name.ToLowerInvariant() : name);
        return isKnown && HasName(source) == name.Length > 0 && (colon < 0 || name.Length > 0);
    }

    /// <summary>
    /// The value in a request; null when the request has none, or a field in several lines: which of them the origin takes
    /// nobody knows, and each combination would be another client.
    /// </summary>
    public string? Read(HttpContext context) => Source switch
    {
        IdentitySource.ClientIp => ClientNetwork(context.Connection.RemoteIpAddress),
        IdentitySource.Route => context.GetEndpoint()?.DisplayName,
        IdentitySource.Header => context.Request.Headers.TryGetValue(Name, out var lines) && lines.Count == 1 ? lines.ToString() : null,
        IdentitySource.Host => context.Request.Host.HasValue ? context.Request.Host.Host.ToLowerInvariant() : null,
        IdentitySource.Cookie => context.Request.Cookies.TryGetValue(Name, out var cookie) ? cookie : null,
        _ => context.User.FindFirst(Name)?.Value,
    };

    /// <summary>As configuration writes it.</summary>
    public override string ToString() => HasName(Source) ? $"{Source}:{Name}" : Source.ToString();

    /// <summary>An IPv4 address, or the /64 of an IPv6 address: what one client can hold many of.</summary>
    public static string ClientNetwork(IPAddress? address)
    {
        if (address is null)
            return "";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address.ToString();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes).ToString();
    }
}

/// <summary>Whose requests a limit counts together, as a hash: no address, key or claim is seen in Redis.</summary>
internal static class RateLimitIdentity
{
    /// <summary>The identity of limits that count everybody together.</summary>
    public const string Shared = "all";

    /// <summary>The identity of what <paramref name="read"/> finds; what is not there is replaced by the client IP.</summary>
    public static string Of<TState>(IReadOnlyList<IdentityPart> parts, Func<IdentityPart, TState, string?> read, TState state)
    {
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[256]);
        Describe(ref text, parts, read, state);
        var identity = Of(parts, text.Text);
        text.Clear();
        return identity;
    }

    /// <summary>The identity of what <see cref="Describe"/> wrote.</summary>
    public static string Of(IReadOnlyList<IdentityPart> parts, ReadOnlySpan<char> description) => parts.Count == 0 ? Shared : Hash(description.ToString());

    /// <summary>Writes what <paramref name="read"/> finds. Each part says what it is and how long: no two identities are written alike.</summary>
    public static void Describe<TState>(
        ref DefaultInterpolatedStringHandler text, IReadOnlyList<IdentityPart> parts, Func<IdentityPart, TState, string?> read, TState state)
    {
        // By index: an enumerator would be made for each request.
        for (var i = 0; i < parts.Count; i++)
        {
            var part = parts[i];
            var value = read(part, state);
            var source = value is null ? IdentitySource.ClientIp : part.Source;
            value ??= read(IdentityPart.ClientIp, state) ?? "";
            text.AppendFormatted((int)source);
            text.AppendLiteral(":");
            text.AppendFormatted(part.Name.Length);
            text.AppendLiteral(":");
            text.AppendLiteral(part.Name);
            text.AppendFormatted(value.Length);
            text.AppendLiteral(":");
            text.AppendLiteral(value);
        }
    }

    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}
