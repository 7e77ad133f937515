using System.ComponentModel.DataAnnotations;
using Gateway.Hosting.Configuration;

namespace Gateway.Redis;

/// <summary>The Redis that holds the gateway's shared state: limits, tokens, sessions, links, locks and the change log.</summary>
public sealed class RedisOptions
{
    /// <summary>The configuration section, <c>Redis</c>.</summary>
    public const string SectionName = "Redis";

    /// <summary>
    /// A StackExchange.Redis configuration string (one server, Sentinel or Cluster; TLS and ACL users as that library
    /// spells them). Use a server with <c>maxmemory-policy noeviction</c>; AOF is recommended. Default: none, which
    /// starts an embedded server on loopback that ends with the process (in an application that takes a middleware alone:
    /// no server, and nothing is shared). A change needs a restart.
    /// </summary>
    [Secret]
    public string? Configuration { get; set; }

    /// <summary>
    /// The loopback port of the embedded server, used while <see cref="Configuration"/> is absent: 0 (the default)
    /// takes any free port. A port in use stops the start. A change needs a restart.
    /// </summary>
    [Range(0, 65535)]
    public int EmbeddedPort { get; set; }

    /// <summary>
    /// What every key and channel begins with: 1 to 64 letters, digits, <c>:</c>, <c>-</c>, <c>_</c> or <c>.</c>
    /// (no braces, which Redis Cluster reads as hash tags). Default: <c>gateway:</c>. Gateways that share a prefix act as one.
    /// </summary>
    [MaxLength(64)]
    public string KeyPrefix { get; set; } = "gateway:";

    /// <summary>
    /// Configuration strings of independent servers that form the quorum of the fetch lock. Default: none, which locks
    /// on <see cref="Configuration"/> alone. A change needs a restart.
    /// </summary>
    [Secret]
    public IList<string> LockEndpoints { get; } = [];

    /// <summary>
    /// How long a request waits for one Redis call before it goes on without Redis: 10 ms to 10 s, default 200 ms.
    /// Three calls in a row that fail or miss it open the circuit, and no call waits until Redis answers again. Time in which
    /// this process did not run (stopped, or held back by a quota) does not count, up to once more the deadline.
    /// </summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromMilliseconds(200);
}
