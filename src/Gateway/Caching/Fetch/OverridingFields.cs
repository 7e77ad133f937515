namespace Gateway.Caching.Fetch;

/// <summary>
/// Request fields by which an origin may take a request for another than its key says: with another host, scheme, path
/// or method. Without them the origin sees what the key holds; with them, one client could have its own answer stored
/// for everybody. What the policy varies by is a part of the key, and stays.
/// </summary>
internal static class OverridingFields
{
    // X-Forwarded-For and its like say who asks, and not for what.
    private const string ForwardedPrefix = "X-Forwarded-";
    private const string OriginalPrefix = "X-Original-";
    private const string WhoAsks = "For";

    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "Forwarded", "Front-End-Https", "X-Backend-Host", "X-Forwarded", "X-Host", "X-HTTP-DestinationURL", "X-HTTP-Host-Override", "X-HTTP-Method",
        "X-HTTP-Method-Override", "X-HTTPS", "X-Method-Override", "X-Override-URL", "X-Proxy-URL", "X-Rewrite-URL", "X-Scheme", "X-Url-Scheme",
    };

    /// <param name="fields">A request's.</param>
    /// <param name="kept">The fields that are a part of its key.</param>
    public static void Remove(IHeaderDictionary fields, IList<string> kept)
    {
        List<string>? overriding = null;
        foreach (var (name, _) in fields)
        {
            if (IsOverriding(name, kept))
                (overriding ??= []).Add(name);
        }

        foreach (var name in overriding ?? [])
            fields.Remove(name);
    }

    /// <summary>Whether a request has such fields.</summary>
    /// <inheritdoc cref="Remove"/>
    public static bool Any(IHeaderDictionary fields, IList<string> kept) => fields.Any(field => IsOverriding(field.Key, kept));

    private static bool IsOverriding(string name, IList<string> kept) => IsOverriding(name) && !kept.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static bool IsOverriding(string name)
    {
        // Most fields end here.
        if (name[0] is not ('X' or 'x' or 'F' or 'f'))
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
