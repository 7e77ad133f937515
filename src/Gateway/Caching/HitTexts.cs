using System.Globalization;
using Gateway.Caching.Semantics;

namespace Gateway.Caching;

/// <summary>
/// The texts of <c>Age</c> and <c>Cache-Status</c>, which hits by the thousand have in common each second. Tables of
/// fixed size in which the latest text wins its place, so that they need no lock and no place in the stored response.
/// </summary>
internal static class HitTexts
{
    private const uint Places = 4096;

    private static readonly Text?[] Ages = new Text?[Places];
    private static readonly Text?[] Statuses = new Text?[Places];

    /// <summary>An age in seconds. RFC 9111 §5.1.</summary>
    public static string Age(long seconds)
    {
        ref var place = ref Ages[(uint)seconds % Places];
        if (Volatile.Read(ref place) is { } known && known.Seconds == seconds)
            return known.Value;
        var text = seconds.ToString(CultureInfo.InvariantCulture);
        Volatile.Write(ref place, new Text(seconds, CacheReason.None, text));
        return text;
    }

    /// <summary>What <see cref="CacheStatus.Hit"/> makes.</summary>
    public static string Status(long ttl, CacheReason reason)
    {
        // Reasons apart from each other, and from the seconds next to theirs.
        ref var place = ref Statuses[((uint)ttl + ((uint)reason * 1021)) % Places];
        if (Volatile.Read(ref place) is { } known && known.Seconds == ttl && known.Reason == reason)
            return known.Value;
        var text = CacheStatus.Hit(ttl, reason);
        Volatile.Write(ref place, new Text(ttl, reason, text));
        return text;
    }

    private sealed record Text(long Seconds, CacheReason Reason, string Value);
}
