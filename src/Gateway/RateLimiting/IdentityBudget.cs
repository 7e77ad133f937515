using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Gateway.RateLimiting;

/// <summary>
/// How many identities an address may invent. An identity this node has seen lately passes; of new ones an address has
/// so many a minute (<see cref="RateLimitingOptions.NewIdentitiesPerMinute"/>), and what is beyond is counted by the
/// address: a client that makes up a key for each request meets the limit all the same, and no memory grows with it.
/// </summary>
internal sealed class IdentityBudget(IOptionsMonitor<RateLimitingOptions> options, TimeProvider time)
{
    private const int MaxPerGeneration = 50_000;
    private const int MaxNetworks = 10_000;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _turning = new();
    private ConcurrentDictionary<string, bool> _young = new(StringComparer.Ordinal);
    private ConcurrentDictionary<string, bool> _old = new(StringComparer.Ordinal);
    private ConcurrentDictionary<string, int> _newOnes = new(StringComparer.Ordinal);
    private long _minuteBegan = time.GetTimestamp();

    /// <summary>Whether <paramref name="identity"/> may be counted as itself.</summary>
    /// <param name="network">The client's address, by which it is counted otherwise.</param>
    /// <param name="identity">The hash of what it says it is.</param>
    public bool Admits(string network, string identity)
    {
        if (_young.ContainsKey(identity))
            return true;
        if (!_old.ContainsKey(identity) && CountNew(network) > options.CurrentValue.NewIdentitiesPerMinute)
            return false;
        Remember(identity);
        return true;
    }

    private int CountNew(string network)
    {
        if (time.GetElapsedTime(Volatile.Read(ref _minuteBegan)) >= Minute || _newOnes.Count >= MaxNetworks)
        {
            lock (_turning)
            {
                _minuteBegan = time.GetTimestamp();
                _newOnes = new(StringComparer.Ordinal);
            }
        }

        return _newOnes.AddOrUpdate(network, 1, static (_, count) => count == int.MaxValue ? count : count + 1);
    }

    // Two generations, each bounded: what was not seen during a whole one is forgotten.
    private void Remember(string identity)
    {
        _young.TryAdd(identity, true);
        if (_young.Count < MaxPerGeneration)
            return;
        lock (_turning)
        {
            if (_young.Count < MaxPerGeneration)
                return;
            _old = _young;
            _young = new(StringComparer.Ordinal);
        }
    }
}
