using System.Globalization;

namespace Gateway.Caching.Semantics;

/// <summary>HTTP-date (RFC 9110 §5.6.7): the preferred form and the two obsolete ones, nothing else.</summary>
internal static class HttpDate
{
    private static readonly string[] Formats =
    [
        "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        "dddd, dd-MMM-yy HH:mm:ss 'GMT'",
        "ddd MMM d HH:mm:ss yyyy",
        "ddd MMM  d HH:mm:ss yyyy",
    ];

    /// <returns>The time, or null for what is absent or no date.</returns>
    public static DateTimeOffset? Parse(string? text) =>
        DateTimeOffset.TryParseExact(
            text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var date)
            ? date
            : null;

    public static string Format(DateTimeOffset date) => date.ToString("r", CultureInfo.InvariantCulture);
}
