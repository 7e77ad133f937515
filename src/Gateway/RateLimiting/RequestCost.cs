using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Gateway.RateLimiting;

/// <summary>How many permits a field says that a request takes.</summary>
internal static class RequestCost
{
    public const long Max = 1_000_000_000;

    /// <summary>Reads a whole number from 1 to <see cref="Max"/>, written once.</summary>
    public static bool TryRead(StringValues field, out long cost)
    {
        cost = 0;
        return field is [{ Length: >= 1 and <= 10 } text]
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out cost)
            && cost is >= 1 and <= Max;
    }
}
