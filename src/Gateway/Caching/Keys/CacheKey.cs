using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Gateway.Caching.Semantics;

namespace Gateway.Caching.Keys;

/// <summary>
/// Builds every key of the cache. Grammar: a format version, then each part as its length, a colon and its text, so
/// that no two different lists of parts make the same key, whatever they contain.
/// <code>
/// primary = "1" route policy scheme authority path query      ; RFC 9111 §2; GET and HEAD share it
/// variant = primary [ 1*( field-name ( "-" / value ) ) / "#" SHA-256 of that ]  ; RFC 9111 §4.1; hashed where long or secret
/// url     = scheme "://" authority path query                 ; what purges and RFC 9111 §4.4 name; in one form, see UrlQuery
/// prefix  = scheme "://" authority [ path ]                   ; path up to the end of a segment, no "/" last
/// </code>
/// The route is part of the key because one URL can go to different clusters by header or query.
/// </summary>
internal static class CacheKey
{
    /// <summary>Targets longer than this are not cached, in characters.</summary>
    public const int MaxTargetLength = 16 * 1024;

    /// <summary>How many segments a prefix can have: stored responses carry no more of their path's ancestors.</summary>
    public const int MaxPrefixDepth = 12;

    private const char Version = '1';
    private const int MaxSuffixLength = 128;

    /// <summary>What to give a <see cref="KeyWriter"/> on the stack: most keys fit, in characters.</summary>
    public const int UsualLength = 512;

    /// <summary>The key of all stored responses for a request's target.</summary>
    /// <param name="routeId">The route, or endpoint, that matched.</param>
    /// <param name="policyFingerprint">Identifies the options that affect what is stored.</param>
    /// <param name="request">The request as the gateway's clients made it.</param>
    public static string Primary(string routeId, string policyFingerprint, HttpRequest request)
    {
        var key = new KeyWriter(stackalloc char[UsualLength]);
        WritePrimary(ref key, routeId, policyFingerprint, request);
        var text = key.Written.ToString();
        key.Dispose();
        return text;
    }

    /// <inheritdoc cref="Primary"/>
    public static void WritePrimary(ref KeyWriter key, string routeId, string policyFingerprint, HttpRequest request)
    {
        key.Append([Version]);
        key.AppendPart(routeId);
        key.AppendPart(policyFingerprint);
        key.AppendPart(request.Scheme);
        key.AppendPart(Authority(request.Scheme, request.Host));
        key.AppendPart((request.PathBase + request.Path).Value);
        key.AppendPart(request.QueryString.Value);
    }

    /// <summary>What the key of a variant adds to the primary one: empty without <c>Vary</c>, and never longer than 128 characters.</summary>
    public static string VariantSuffix(VaryRule rule, IHeaderDictionary fields)
    {
        var key = new KeyWriter(stackalloc char[UsualLength]);
        WriteVariantSuffix(ref key, rule, fields);
        var text = key.Written.ToString();
        key.Dispose();
        return text;
    }

    /// <inheritdoc cref="VariantSuffix"/>
    public static void WriteVariantSuffix(ref KeyWriter key, VaryRule rule, IHeaderDictionary fields)
    {
        var start = key.Length;
        Span<char> normal = stackalloc char[UsualLength];
        foreach (var name in rule.Names)
        {
            key.AppendPart(name);
            if (!fields.TryGetValue(name, out var values) || values.Count == 0)
                key.Append("-");
            else
                key.AppendPart(VaryRule.Normalize(name, values, normal));
        }

        if (key.Length - start <= MaxSuffixLength && !rule.MayHoldSecrets)
            return;
        var hash = Hash(key.Written[start..]);
        key.Truncate(start);
        key.Append("#");
        key.Append(hash);
    }

    /// <summary>The public URL of a request, as purges name it: without route and policy.</summary>
    public static string Url(HttpRequest request) =>
        Url(request.Scheme, Authority(request.Scheme, request.Host), request.PathBase + request.Path, request.QueryString.Value ?? "");

    /// <summary>The same form of an absolute URL from elsewhere: a purge, or a Location field.</summary>
    public static string Url(Uri uri) => Url(
        uri.Scheme, Authority(uri.Scheme, HostString.FromUriComponent(uri)), DecodePath(uri.AbsolutePath), uri.Query);

    /// <summary>Reads what somebody calls the URL of a request: absolute, http or https, and without credentials.</summary>
    public static bool TryReadUrl(string? text, [NotNullWhen(true)] out Uri? url) =>
        // To the server it is a character like others, to Uri a slash.
        Uri.TryCreate(text?.Replace("\\", "%5C", StringComparison.Ordinal), UriKind.Absolute, out url)
        && url.Scheme is "http" or "https" && url.UserInfo.Length == 0;

    /// <summary>A path as the server decodes it: everything but an encoded slash.</summary>
    public static PathString DecodePath(string path)
    {
        if (!path.Contains('%', StringComparison.Ordinal))
            return new PathString(path);
        var segments = path.Split(["%2F", "%2f"], StringSplitOptions.None);
        return new PathString(string.Join("%2F", segments.Select(Uri.UnescapeDataString)));
    }

    /// <summary>
    /// Where the prefixes end that a URL is below: its origin, then its path up to the end of each of the first
    /// <see cref="MaxPrefixDepth"/> segments, itself included. So <c>/a/b?c</c> is below <c>/a</c>, <c>/a/b</c>, and not
    /// below <c>/a/bc</c> or <c>/A</c>.
    /// </summary>
    /// <param name="url">A URL in the form of <see cref="Url(HttpRequest)"/>.</param>
    /// <param name="ends">Room for one more than <see cref="MaxPrefixDepth"/>.</param>
    /// <returns>How many there are, at least one.</returns>
    public static int PrefixEnds(ReadOnlySpan<char> url, Span<int> ends)
    {
        var pathEnd = url.IndexOf('?') is >= 0 and var query ? query : url.Length;
        var authority = url.IndexOf("://", StringComparison.Ordinal) + 3;
        var start = url[authority..pathEnd].IndexOf('/') is >= 0 and var length ? authority + length : pathEnd;
        var count = 0;
        ends[count++] = start;
        while (start < pathEnd && count <= MaxPrefixDepth)
        {
            var end = url[(start + 1)..pathEnd].IndexOf('/') is >= 0 and var segment ? start + 1 + segment : pathEnd;
            // An empty segment ends where the one before it ends.
            if (end > start + 1)
                ends[count++] = end;
            start = end;
        }

        return count;
    }

    /// <summary>The prefix that a URL names, in the form of <see cref="PrefixEnds"/>; null where it is too deep, or has a query.</summary>
    public static string? Prefix(Uri uri)
    {
        var url = Url(uri);
        if (url.Contains('?', StringComparison.Ordinal))
            return null;
        var prefix = url.TrimEnd('/');
        Span<int> ends = stackalloc int[MaxPrefixDepth + 1];
        return ends[PrefixEnds(prefix, ends) - 1] == prefix.Length ? prefix : null;
    }

    /// <summary>What a primary key, or one of a variant, was made of.</summary>
    public static (string Route, string Url) Read(string key)
    {
        Span<Range> parts = stackalloc Range[6];
        var position = 1;
        foreach (ref var part in parts)
        {
            var colon = position + key.AsSpan(position).IndexOf(':');
            var length = int.Parse(key.AsSpan(position, colon - position), CultureInfo.InvariantCulture);
            position = colon + 1 + length;
            part = (colon + 1)..position;
        }

        return (key[parts[0]], Url(key[parts[2]], key[parts[3]], new PathString(key[parts[4]]), key[parts[5]]));
    }

    /// <summary>A key of fixed length without the text of the request: what Redis sees.</summary>
    public static string Hash(ReadOnlySpan<char> key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        TextHash.Write(key, hash);
        return Convert.ToHexStringLower(hash);
    }

    // An encoded slash is all that the server leaves encoded, in the case in which it came.
    private static string Url(string scheme, string authority, PathString path, string query) =>
        $"{scheme}://{authority}{path.ToUriComponent().Replace("%2f", "%2F", StringComparison.Ordinal)}{UrlQuery.Normalize(query)}";

    /// <summary>A host as the key has it: hosts compare without case, and a default port says nothing. RFC 9110 §4.2.3.</summary>
    public static string Authority(string scheme, HostString host)
    {
        var authority = host.Value ?? "";
        if (authority.EndsWith('0') || authority.EndsWith('3'))
        {
            var isDefaultPort = host.Port is { } port && port == (scheme == Uri.UriSchemeHttps ? 443 : 80);
            authority = isDefaultPort ? host.Host : authority;
        }

        foreach (var c in authority)
        {
            if (char.IsAsciiLetterUpper(c))
                return authority.ToLowerInvariant();
        }

        return authority;
    }
}
