using System.Collections.Concurrent;
using Gateway.ChangeLog;

namespace Gateway.Caching.Fetch;

/// <summary>The fetches under way in this process, by key. As many as requests are, so it is bounded as they are.</summary>
internal sealed class FetchTable(SharedChangeLog log, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, SharedFetch> _fetches = new(StringComparer.Ordinal);

    /// <summary>Joins the fetch of a key, or begins it.</summary>
    /// <param name="key">The key of the response, as far as it is known.</param>
    /// <param name="exchange">The request. A fetch older than a change to what it asks for is not joined.</param>
    /// <param name="hung">A fetch that the caller waited for long enough: of all who did, the first leads in its place.</param>
    /// <param name="isLeader">Whether the caller is to fetch, and then to call <see cref="End"/>.</param>
    public SharedFetch JoinOrLead(string key, CacheExchange exchange, SharedFetch? hung, out bool isLeader)
    {
        SharedFetch? mine = null;
        while (true)
        {
            if (_fetches.TryGetValue(key, out var running))
            {
                // Its tags are known when its response is.
                if (running != hung && log.Check(running.Stamp, running.Selectors ?? exchange.TargetSelectors) == ChangeVerdict.Current)
                {
                    running.Follow();
                    isLeader = false;
                    return running;
                }

                mine ??= new SharedFetch(log.Stamp, time);
                isLeader = _fetches.TryUpdate(key, mine, running);
                if (isLeader && running == hung)
                    mine.Succeed(hung);
            }
            else
            {
                mine ??= new SharedFetch(log.Stamp, time);
                isLeader = _fetches.TryAdd(key, mine);
            }

            if (isLeader)
                return mine;
        }
    }

    /// <summary>Begins the fetch of a key, unless there is one.</summary>
    /// <returns>The fetch, to be ended with <see cref="End"/>; null where another is under way.</returns>
    public SharedFetch? TryLead(string key)
    {
        var mine = new SharedFetch(log.Stamp, time);
        return _fetches.TryAdd(key, mine) ? mine : null;
    }

    /// <summary>Whether a fetch of a key is under way.</summary>
    public bool Contains(string key) => _fetches.ContainsKey(key);

    /// <summary>How many wait for the fetches of some keys, or read them along.</summary>
    public int FollowersOf(Func<string, bool> isCounted) => _fetches.Where(fetch => isCounted(fetch.Key)).Sum(fetch => fetch.Value.Followers);

    /// <summary>Ends a fetch: those who come later begin another. Followers not released by then learn that it failed.</summary>
    public void End(string key, SharedFetch fetch)
    {
        _fetches.TryRemove(new KeyValuePair<string, SharedFetch>(key, fetch));
        fetch.Close();
    }
}
