using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.ShortLinks.Transfer;

/// <summary>Links as JSON lines: a <see cref="LinkRequest"/> each.</summary>
internal static class JsonLines
{
    public const string ContentType = "application/jsonl";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        AllowDuplicateProperties = false,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        // It is no HTML: URLs stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Json) + "\n";

    public static async IAsyncEnumerable<ImportRecord> ReadAsync(TextReader reader, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var source = new TextSource(reader);
        var text = new StringBuilder();
        var line = 1L;
        while (await source.HasMoreAsync(cancellationToken))
        {
            var c = source.Next();
            if (c != '\n')
            {
                if (text.Append(c).Length <= ImportRecord.MaxLength)
                    continue;
                yield return ImportRecord.TooLong(line);
                yield break;
            }

            if (Parse(text, line++) is { } record)
                yield return record;
            text.Clear();
        }

        if (Parse(text, line) is { } last)
            yield return last;
    }

    // Null: a blank line.
    private static ImportRecord? Parse(StringBuilder text, long line)
    {
        var json = text.ToString();
        if (string.IsNullOrWhiteSpace(json))
            return null;
        try
        {
            return JsonSerializer.Deserialize<LinkRequest>(json, Json) is { } request
                ? new ImportRecord(line, request)
                : new ImportRecord(line, null, "Write a JSON object.");
        }
        catch (JsonException e)
        {
            // Its own text holds names of types.
            return new ImportRecord(line, null, $"This is not the JSON expected here: {e.Path ?? "$"}, character {(e.BytePositionInLine ?? 0) + 1}.");
        }
    }
}
