using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace Gateway.ShortLinks.Transfer;

/// <summary>A record of a CSV text.</summary>
/// <param name="Line">The line it begins in, from 1.</param>
/// <param name="Fields">Its fields; null: it is too long, and the last.</param>
internal readonly record struct CsvRecord(long Line, string[]? Fields);

/// <summary>CSV: RFC 4180, with LF as well as CRLF, and blank lines skipped.</summary>
internal static class Csv
{
    private static readonly SearchValues<char> Special = SearchValues.Create("\",\r\n");

    public static string Write(IReadOnlyList<string?> fields)
    {
        var text = new StringBuilder();
        for (var i = 0; i < fields.Count; i++)
        {
            var field = fields[i] ?? "";
            text.Append(i == 0 ? "" : ",");
            if (field.AsSpan().ContainsAny(Special))
                text.Append('"').Append(field.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
            else
                text.Append(field);
        }

        return text.Append("\r\n").ToString();
    }

    public static async IAsyncEnumerable<CsvRecord> ReadAsync(TextReader reader, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var source = new TextSource(reader);
        var record = new Builder();
        var (line, first) = (1L, 1L);
        while (await source.HasMoreAsync(cancellationToken))
        {
            var c = source.Next();
            // A quote within quotes is written twice: what follows it decides.
            var isDoubled = c == '"' && record.IsQuoted && await source.HasMoreAsync(cancellationToken) && source.Peek() == '"';
            if (isDoubled)
                source.Next();
            if (c == '\n')
                line++;
            if (!record.Add(c, isDoubled))
                continue;
            if (record.IsTooLong)
            {
                yield return new CsvRecord(first, null);
                yield break;
            }

            if (record.Take() is { } fields)
                yield return new CsvRecord(first, fields);
            first = line;
        }

        // A quote that is never closed has swallowed the rest.
        if (record.IsQuoted)
            yield return new CsvRecord(first, null);
        else if (record.Take() is { } last)
            yield return new CsvRecord(first, last);
    }

    private sealed class Builder
    {
        private readonly List<string> _fields = [];
        private readonly StringBuilder _field = new();
        private int _length;

        public bool IsQuoted { get; private set; }

        public bool IsTooLong => _length > ImportRecord.MaxLength;

        /// <returns>Whether the record ends here.</returns>
        public bool Add(char c, bool isDoubled)
        {
            _length++;
            if (isDoubled)
                _field.Append('"');
            else if (c == '"')
                IsQuoted = !IsQuoted;
            else if (IsQuoted)
                _field.Append(c);
            else if (c == ',')
                EndField();
            else if (c == '\n')
                return true;
            else if (c != '\r')
                _field.Append(c);
            return IsTooLong;
        }

        /// <returns>Null: a blank line.</returns>
        public string[]? Take()
        {
            var isBlank = _fields.Count == 0 && _field.Length == 0;
            EndField();
            string[]? fields = isBlank ? null : [.. _fields];
            _fields.Clear();
            _length = 0;
            return fields;
        }

        private void EndField()
        {
            _fields.Add(_field.ToString());
            _field.Clear();
        }
    }
}
