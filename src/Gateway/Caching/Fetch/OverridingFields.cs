using Gateway.Caching.Keys;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Request fields by which an origin may take a request for another than its key says: with another host, scheme, path
/// or method. Without them the origin sees what the key holds; with them, one client could have its own answer stored
/// for everybody. What the policy varies by is a part of the key, and stays. So is the host, which the origin sees as the
/// key has it: one that wants another spelling would redirect everybody to where they are.
/// </summary>
internal static class OverridingFields
{
    // X-Forwarded-For and its like say who asks, and not for what.
    private const string ForwardedPrefix = "X-Forwarded-";
    private const string OriginalPrefix = "X-Original-";
    private const string WhoAsks = "For";

    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "CF-Visitor", "CloudFront-Forwarded-Proto", "Fastly-SSL", "Forwarded", "Front-End-Https", "Path-Info", "Script-Name", "WL-Proxy-SSL",
        "X-ARR-SSL", "X-Backend-Host", "X-Base-URL", "X-Envoy-Original-Host", "X-Envoy-Original-Path", "X-Forwarded", "X-Host", "X-HTTP-DestinationURL",
        "X-HTTP-Host-Override", "X-HTTP-Method", "X-HTTP-Method-Override", "X-HTTPS", "X-Invoke-Path", "X-Matched-Path", "X-Method", "X-Method-Override",
        "X-Middleware-Prefetch", "X-MS-Original-URL", "X-NextJS-Data", "X-Override-Method", "X-Override-URL", "X-Path-Info", "X-Port", "X-Prefix",
        "X-Proto", "X-Protocol", "X-Proxy-URL", "X-Request-URI", "X-Rewrite-URL", "X-Scheme", "X-Script-Name", "X-SSL", "X-Url-Scheme",
    };

    /// <param name="request">A request whose response may be stored.</param>
    /// <param name="kept">The fields that are a part of its key.</param>
    public static void Remove(HttpRequest request, IList<string> kept)
    {
        if (!HasHostOfKey(request, out var authority))
            request.Host = new HostString(authority);
        List<string>? overriding = null;
        foreach (var (name, _) in request.Headers)
        {
            if (IsOverriding(name, kept))
                (overriding ??= []).Add(name);
        }

        foreach (var name in overriding ?? [])
            request.Headers.Remove(name);
    }

    /// <summary>Whether a request has such fields, or another spelling of its host than its key.</summary>
    /// <inheritdoc cref="Remove"/>
    public static bool Any(HttpRequest request, IList<string> kept) =>
        !HasHostOfKey(request, out _) || request.Headers.Any(field => IsOverriding(field.Key, kept));

    private static bool HasHostOfKey(HttpRequest request, out string authority)
    {
        authority = CacheKey.Authority(request.Scheme, request.Host);
        return authority == request.Host.Value;
    }

    private static bool IsOverriding(string name, IList<string> kept) => IsOverriding(name) && !kept.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static bool IsOverriding(string name)
    {
        // Most fields end here.
        if (char.ToUpperInvariant(name[0]) is not ('X' or 'F' or 'C' or 'P' or 'S' or 'W'))
            return false;
        // Origins behind CGI and its like cannot tell one from the other. Who asks is what proxies say, in the true spelling.
        var isDisguised = name.Contains('_', StringComparison.Ordinal);
        if (isDisguised)
            name = name.Replace('_', '-');
        return Names.Contains(name) || IsBelow(name, ForwardedPrefix, isDisguised) || IsBelow(name, OriginalPrefix, isDisguised);
    }

    private static bool IsBelow(string name, string prefix, bool isDisguised) =>
        name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)
        && (isDisguised || !name.AsSpan(prefix.Length).Equals(WhoAsks, StringComparison.OrdinalIgnoreCase));
}
