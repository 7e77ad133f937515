namespace Gateway.Caching.Semantics;

/// <summary>Which response fields are stored, and which a 304 (Not Modified) replaces.</summary>
internal static class FieldRules
{
    private static readonly HashSet<string> NeverStored = new(StringComparer.OrdinalIgnoreCase)
    {
        // Fields for one connection: RFC 9110 §7.6.1, RFC 9111 §3.1.
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authentication-Info",
        "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        // Made anew for each response: RFC 9111 §5.1, RFC 9211 §2, and the length of the stored body.
        "Age", "Cache-Status", "Content-Length",
    };

    private static readonly HashSet<string> NeverUpdated = new(StringComparer.OrdinalIgnoreCase)
    {
        // They describe the stored body: RFC 9111 §3.2.
        "Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "ETag",
    };

    public static bool IsStored(string name) => !NeverStored.Contains(name);

    public static bool IsUpdatedByNotModified(string name) => IsStored(name) && !NeverUpdated.Contains(name);
}
