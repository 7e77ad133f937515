using System.Security.Cryptography;
using System.Text;

namespace Gateway.Sessions.Affinity;

internal enum AffinityKeyKind
{
    Cookie,
    Header,
    Query,
    Claim,
}

/// <summary>What the sessions of a cluster are known by.</summary>
/// <param name="Kind">Where in the request.</param>
/// <param name="Name">The name there; empty for the cookie, whose name YARP's <c>AffinityKeyName</c> gives.</param>
internal readonly record struct AffinityKeySource(AffinityKeyKind Kind, string Name)
{
    private const int IdBytes = 16;
    private static readonly AffinityKeyKind[] NamedKinds = [AffinityKeyKind.Header, AffinityKeyKind.Query, AffinityKeyKind.Claim];

    public static bool TryParse(string? text, out AffinityKeySource source)
    {
        source = new(AffinityKeyKind.Cookie, "");
        if (string.Equals(text, nameof(AffinityKeyKind.Cookie), StringComparison.OrdinalIgnoreCase))
            return true;
        if (text?.Split(':', 2) is not [var written, { Length: > 0 } name])
            return false;
        foreach (var kind in NamedKinds)
        {
            if (!written.Equals(kind.ToString(), StringComparison.OrdinalIgnoreCase))
                continue;
            source = new(kind, name);
            return true;
        }

        return false;
    }

    /// <summary>The id of the session that a request belongs to by a header, query key or claim; null where it has none.</summary>
    public string? IdOf(HttpContext context, string cluster)
    {
        var value = Kind switch
        {
            AffinityKeyKind.Header => context.Request.Headers[Name].ToString(),
            AffinityKeyKind.Query => context.Request.Query[Name].ToString(),
            AffinityKeyKind.Claim => context.User.FindFirst(Name)?.Value,
            _ => null,
        };
        return string.IsNullOrEmpty(value) ? null : Hash(cluster, value);
    }

    // Hashed, because the value may be a secret. The length in front keeps two clusters' values apart.
    private static string Hash(string cluster, string value) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{cluster.Length}:{cluster}:{value}")).AsSpan(0, IdBytes));
}
