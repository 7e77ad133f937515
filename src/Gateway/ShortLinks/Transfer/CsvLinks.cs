using System.Globalization;
using System.Runtime.CompilerServices;

namespace Gateway.ShortLinks.Transfer;

/// <summary>Links as CSV (RFC 4180) with a header: the members of <see cref="LinkRequest"/> in any order, tags parted by spaces.</summary>
internal static class CsvLinks
{
    public const string ContentType = "text/csv";

    private static readonly string[] Columns =
    [
        "slug", "target", "status", "startsAt", "expiresAt", "maxVisits", "tags", "forwardQuery", "forwardPath", "expiredTarget", "password", "passwordHash",
        "visits",
    ];

    public static string Header { get; } = Csv.Write([.. Columns.Where(column => column != "password")]);

    public static string Write(LinkRequest link) => Csv.Write(
    [
        link.Slug, link.Target, Text(link.Status), Text(link.StartsAt), Text(link.ExpiresAt), Text(link.MaxVisits),
        link.Tags is null ? "" : string.Join(' ', link.Tags), Text(link.ForwardQuery), Text(link.ForwardPath), link.ExpiredTarget, link.PasswordHash,
        Text(link.Visits),
    ]);

    public static async IAsyncEnumerable<ImportRecord> ReadAsync(TextReader reader, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string[]? header = null;
        await foreach (var record in Csv.ReadAsync(reader, cancellationToken))
        {
            if (record.Fields is not { } fields)
            {
                yield return ImportRecord.TooLong(record.Line);
                yield break;
            }

            if (header is not null)
            {
                yield return record.Problem is null ? Read(record.Line, header, fields) : new ImportRecord(record.Line, null, record.Problem);
                continue;
            }

            header = fields;
            if ((record.Problem ?? FindProblem(header)) is { } problem)
            {
                yield return new ImportRecord(record.Line, null, problem, IsLast: true);
                yield break;
            }
        }
    }

    private static string? FindProblem(string[] header)
    {
        if (Array.Find(header, name => !Columns.Contains(name, StringComparer.OrdinalIgnoreCase)) is { } unknown)
            return $"There is no column '{(unknown.Length > 40 ? unknown[..40] : unknown)}'. Write a header of these: {string.Join(", ", Columns)}.";
        if (header.Distinct(StringComparer.OrdinalIgnoreCase).Count() < header.Length)
            return "Write each column once.";
        return header.Contains("target", StringComparer.OrdinalIgnoreCase) ? null : "Write a column 'target'.";
    }

    private static ImportRecord Read(long line, string[] header, string[] fields)
    {
        if (fields.Length != header.Length)
            return new ImportRecord(line, null, $"Write {header.Length} fields, as the header does.");
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < fields.Length; i++)
        {
            if (fields[i].Length > 0)
                values[header[i]] = fields[i];
        }

        var wrong = new List<string>();
        var request = new LinkRequest
        {
            Slug = values.GetValueOrDefault("slug"),
            Target = values.GetValueOrDefault("target"),
            Status = Parse<int>(values, "status", wrong),
            StartsAt = Time(values, "startsAt", wrong),
            ExpiresAt = Time(values, "expiresAt", wrong),
            MaxVisits = Parse<long>(values, "maxVisits", wrong),
            Tags = values.GetValueOrDefault("tags")?.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            ForwardQuery = Flag(values, "forwardQuery", wrong),
            ForwardPath = Flag(values, "forwardPath", wrong),
            ExpiredTarget = values.GetValueOrDefault("expiredTarget"),
            Password = values.GetValueOrDefault("password"),
            PasswordHash = values.GetValueOrDefault("passwordHash"),
            Visits = Parse<long>(values, "visits", wrong),
        };
        return wrong.Count == 0 ? new ImportRecord(line, request) : new ImportRecord(line, null, $"This cannot be read: {string.Join(", ", wrong)}.");
    }

    private static T? Parse<T>(Dictionary<string, string> values, string column, List<string> wrong)
        where T : struct, IParsable<T>
    {
        if (!values.TryGetValue(column, out var text))
            return null;
        if (T.TryParse(text, CultureInfo.InvariantCulture, out var value))
            return value;
        wrong.Add(column);
        return null;
    }

    // A time without an offset is UTC: no machine's own zone decides.
    private static DateTimeOffset? Time(Dictionary<string, string> values, string column, List<string> wrong)
    {
        if (!values.TryGetValue(column, out var text))
            return null;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var value))
            return value;
        wrong.Add(column);
        return null;
    }

    private static bool? Flag(Dictionary<string, string> values, string column, List<string> wrong)
    {
        if (!values.TryGetValue(column, out var text))
            return null;
        if (bool.TryParse(text, out var value))
            return value;
        wrong.Add(column);
        return null;
    }

    private static string Text<T>(T? value)
        where T : struct => value switch
        {
            null => "",
            DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
            bool flag => flag ? "true" : "false",
            _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
        };
}
