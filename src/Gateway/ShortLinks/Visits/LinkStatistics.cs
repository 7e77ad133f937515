using System.Globalization;
using StackExchange.Redis;

namespace Gateway.ShortLinks.Visits;

/// <summary>Visits on a day, in UTC.</summary>
internal sealed record DayVisits(DateOnly Date, long Visits);

/// <summary>Visits from pages of a host; <c>(none)</c> and <c>(other)</c> are no hosts.</summary>
internal sealed record ReferrerVisits(string Host, long Visits);

/// <summary>How a link was visited.</summary>
/// <param name="Days">Days with visits, the earliest first: the last 366 at least, 400 at most.</param>
/// <param name="Referrers">The first 100 hosts that visitors came from, and the sum of the others; the most frequent first.</param>
internal sealed record LinkStatistics(IReadOnlyList<DayVisits> Days, IReadOnlyList<ReferrerVisits> Referrers)
{
    private static readonly DateOnly Epoch = new(1970, 1, 1);

    public static LinkStatistics Read(HashEntry[] fields)
    {
        var days = new List<DayVisits>();
        var referrers = new List<ReferrerVisits>();
        foreach (var field in fields)
        {
            var name = (string)field.Name!;
            if (name[0] == 'd' && int.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var day))
                days.Add(new DayVisits(Epoch.AddDays(day), (long)field.Value));
            else if (name[0] == 'r')
                referrers.Add(new ReferrerVisits(name[1..], (long)field.Value));
        }

        return new LinkStatistics(
            [.. days.OrderBy(entry => entry.Date)],
            [.. referrers.OrderByDescending(entry => entry.Visits).ThenBy(entry => entry.Host, StringComparer.Ordinal)]);
    }
}
