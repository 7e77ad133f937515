using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.RateLimiting;

/// <summary>What a part of an identity is taken from.</summary>
internal enum IdentitySource
{
    ClientIp,
    Route,
    Header,
    Claim,
}

/// <summary>One member of a limit's <c>By</c>.</summary>
internal readonly record struct IdentityPart(IdentitySource Source, string Name)
{
    public static bool TryParse(string text, out IdentityPart part)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? "" : text[(colon + 1)..];
        var isKnown = Enum.TryParse<IdentitySource>(colon < 0 ? text : text[..colon], ignoreCase: true, out var source) && Enum.IsDefined(source);
        part = new IdentityPart(source, name);
        return isKnown && (source is IdentitySource.Header or IdentitySource.Claim) == name.Length > 0 && !char.IsAsciiDigit(text[0]);
    }

    /// <summary>The value in a request; null when the request has none.</summary>
    public string? Read(HttpContext context) => Source switch
    {
        IdentitySource.ClientIp => ClientNetwork(context.Connection.RemoteIpAddress),
        IdentitySource.Route => context.GetEndpoint()?.DisplayName,
        IdentitySource.Header => context.Request.Headers.TryGetValue(Name, out var values) && values.Count > 0 ? values.ToString() : null,
        _ => context.User.FindFirst(Name)?.Value,
    };

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

    public static string Of(IReadOnlyList<IdentityPart> parts, HttpContext context)
    {
        if (parts.Count == 0)
            return Shared;

        // Each part says what it is and how long: no two identities are written alike.
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            var value = part.Read(context);
            var source = value is null ? IdentitySource.ClientIp : part.Source;
            value ??= IdentityPart.ClientNetwork(context.Connection.RemoteIpAddress);
            text.Append((int)source).Append(':').Append(part.Name.Length).Append(':').Append(part.Name).Append(value.Length).Append(':').Append(value);
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 16));
    }
}
