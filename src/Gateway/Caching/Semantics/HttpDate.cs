using System.Globalization;

namespace Gateway.Caching.Semantics;

/// <summary>
/// HTTP-date (RFC 9110 §5.6.7): the preferred form and the two obsolete ones, nothing else. As caches read it: without
/// regard to case, and in no zone but GMT (RFC 9111 §4.2; RFC 7234 took UTC too). The day of the week repeats what the date
/// says: it must be one, but one that does not fit does not make the format invalid.
/// </summary>
internal static class HttpDate
{
    private const string Asctime = "MMM d HH:mm:ss yyyy";
    private const string AsctimePadded = "MMM  d HH:mm:ss yyyy";
    private const string ImfFixdate = "dd MMM yyyy HH:mm:ss";
    private const string Rfc850 = "dd-MMM-yyyy HH:mm:ss";
    private const string Zone = " GMT";

    private static readonly string[] Days = CultureInfo.InvariantCulture.DateTimeFormat.DayNames;
    private static readonly string[] ShortDays = CultureInfo.InvariantCulture.DateTimeFormat.AbbreviatedDayNames;

    // All responses of one second carry the same date.
    private static ReadDate? _latest;

    /// <param name="text">The field's value.</param>
    /// <param name="now">Decides the century of years with two digits.</param>
    /// <returns>The time, or null for what is absent or no date.</returns>
    public static DateTimeOffset? Parse(string? text, DateTimeOffset now)
    {
        if (text is null)
            return null;
        if (!text.EndsWith(Zone, StringComparison.OrdinalIgnoreCase))
            return ParseAsctime(AfterDay(text, ShortDays, " "));
        if (Volatile.Read(ref _latest) is { } latest && latest.Text == text)
            return latest.Date;
        var date = text.AsSpan(0, text.Length - Zone.Length);
        if (Exact(AfterDay(date, ShortDays, ", "), ImfFixdate) is not { } read)
            return ParseRfc850(AfterDay(date, Days, ", "), now);
        Volatile.Write(ref _latest, new ReadDate(text, read));
        return read;
    }

    // What follows the day of the week; nothing where there is none.
    private static ReadOnlySpan<char> AfterDay(ReadOnlySpan<char> text, string[] days, ReadOnlySpan<char> separator)
    {
        foreach (var day in days)
        {
            if (text.StartsWith(day, StringComparison.OrdinalIgnoreCase) && text[day.Length..].StartsWith(separator))
                return text[(day.Length + separator.Length)..];
        }

        return default;
    }

    private static DateTimeOffset? ParseAsctime(ReadOnlySpan<char> text) => Exact(text, Asctime) ?? Exact(text, AsctimePadded);

    // More than 50 years in the future means the past century: RFC 9110 §5.6.7.
    private static DateTimeOffset? ParseRfc850(ReadOnlySpan<char> text, DateTimeOffset now)
    {
        var year = text.LastIndexOf('-') + 1;
        if (year == 0 || text.Length < year + 2 || !int.TryParse(text.Slice(year, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var two))
            return null;
        var century = now.Year - (now.Year % 100);
        var full = century + two > now.Year + 50 ? century - 100 + two : century + two;
        return Exact($"{text[..year]}{full:0000}{text[(year + 2)..]}", Rfc850);
    }

    private static DateTimeOffset? Exact(ReadOnlySpan<char> text, string format) =>
        DateTimeOffset.TryParseExact(
            text, format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var date)
            ? date
            : null;

    public static string Format(DateTimeOffset date) => date.ToString("r", CultureInfo.InvariantCulture);

    private sealed record ReadDate(string Text, DateTimeOffset Date);
}
