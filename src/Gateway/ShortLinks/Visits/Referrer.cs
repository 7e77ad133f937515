namespace Gateway.ShortLinks.Visits;

/// <summary>Where a visitor came from: the host alone, since the rest of a Referer can be private.</summary>
internal static class Referrer
{
    /// <summary>The visit has no Referer.</summary>
    public const string None = "(none)";

    /// <summary>Its Referer names no host, or more hosts than are counted one by one.</summary>
    public const string Other = "(other)";

    private const int MaxLength = 100;

    public static string HostOf(string? referer)
    {
        if (string.IsNullOrEmpty(referer))
            return None;
        var scheme = referer.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            return Other;
        var host = referer.AsSpan(scheme + 3);
        if (host.IndexOfAny("/?#") is >= 0 and var end)
            host = host[..end];
        // Not where it could be a password that is cut off.
        if (!host.Contains('@') && host.IndexOf(':') is >= 0 and var port)
            host = host[..port];
        if (host.Length is 0 or > MaxLength)
            return Other;
        foreach (var c in host)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.'))
                return Other;
        }

        return host.ToString().ToLowerInvariant();
    }
}
