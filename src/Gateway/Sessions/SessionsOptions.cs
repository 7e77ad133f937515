using Gateway.Hosting.Configuration;
using Gateway.Sessions.Store;

namespace Gateway.Sessions;

/// <summary>Session affinity over all nodes, for clusters whose <c>SessionAffinity:Policy</c> is <c>Redis</c>, and the keys that protect its cookies.</summary>
public sealed class SessionsOptions
{
    /// <summary>The configuration section, <c>Sessions</c>.</summary>
    public const string SectionName = "Sessions";

    /// <summary>
    /// How long Redis remembers a session's destination after its last request: 1 minute to 30 days, default 30 minutes.
    /// It is extended at most once per quarter of it. Afterwards the client's cookie alone decides, while it lasts.
    /// </summary>
    public TimeSpan AffinityExpiry { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>
    /// What a session is known by, per cluster: <c>Cookie</c> (also where a cluster is not named here),
    /// <c>Header:name</c>, <c>Query:name</c> or <c>Claim:type</c>. Except for cookies the value is the client's own
    /// choice: whoever sends the same value goes to the same destination, and requests without it go anywhere.
    /// </summary>
    public IDictionary<string, string> KeyFrom { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// A PKCS #12 file with an RSA certificate and its private key: DataProtection keys are encrypted with it before they
    /// go to Redis. All nodes need the same. Default: none, the keys are in Redis as they are. A change needs a restart.
    /// </summary>
    public string? KeyCertificatePath { get; set; }

    /// <summary>The password of <see cref="KeyCertificatePath"/>. Default: none. A change needs a restart.</summary>
    [Secret]
    public string? KeyCertificatePassword { get; set; }

    /// <summary>Sessions of signed-in users and of <c>ISession</c>, in applications that keep them in the session store.</summary>
    public SessionStoreOptions Store { get; set; } = new();
}
