using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace Gateway.ShortLinks.Transfer;

/// <summary>A record of a CSV text.</summary>
/// <param name="Line">The line it begins in, from 1.</param>
/// <param name="Fields">Its fields; null: it is too long, and the last.</param>
/// <param name="Problem">Why it is no record, though it ends where it seems to; null: it is one.</param>
internal readonly record struct CsvRecord(long Line, string[]? Fields, string? Problem = null);

/// <summary>
/// CSV: RFC 4180, with LF as well as CRLF, and blank lines skipped. What else it does not allow is not mended: the text that
/// was meant is not known.
/// </summary>
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

            if (record.Take(first) is { } next)
                yield return next;
            first = line;
        }

        // A quote that is never closed has swallowed the rest.
        if (record.IsQuoted)
            yield return new CsvRecord(first, null);
        else if (record.Take(first) is { } last)
            yield return last;
    }

    private sealed class Builder
    {
        private const string StrayQuote = "Write a field with a quote in it in quotes, each quote in it twice, and nothing after the last.";
        private const string StrayReturn = "Write a field with a line break in it in quotes. CR ends no line, CRLF and LF do.";

        private readonly List<string> _fields = [];
        private readonly StringBuilder _field = new();
        private FieldState _state;
        private bool _isAfterReturn;
        private string? _problem;
        private int _length;

        private enum FieldState
        {
            Empty,
            Plain,
            Quoted,
            Closed,
        }

        public bool IsQuoted => _state == FieldState.Quoted;

        public bool IsTooLong => _length > ImportRecord.MaxLength;

        /// <returns>Whether the record ends here.</returns>
        public bool Add(char c, bool isDoubled)
        {
            _length++;
            if (!IsQuoted)
                return AddPlain(c) || IsTooLong;
            if (c == '"' && !isDoubled)
                _state = FieldState.Closed;
            else
                _field.Append(c);
            return IsTooLong;
        }

        /// <returns>Null: a blank line.</returns>
        public CsvRecord? Take(long line)
        {
            // At the end of the text.
            if (_isAfterReturn)
                _problem ??= StrayReturn;
            var isBlank = _fields.Count == 0 && _field.Length == 0 && _problem is null;
            EndField();
            CsvRecord? record = isBlank ? null : new CsvRecord(line, [.. _fields], _problem);
            _fields.Clear();
            (_isAfterReturn, _problem, _length) = (false, null, 0);
            return record;
        }

        // RFC 4180 §2.5 to §2.7.
        private bool AddPlain(char c)
        {
            if (_isAfterReturn && c != '\n')
                _problem ??= StrayReturn;
            _isAfterReturn = c == '\r';
            if (c == ',')
                EndField();
            else if (c == '"' && _state == FieldState.Empty)
                _state = FieldState.Quoted;
            else if (c is not ('\r' or '\n'))
                AddText(c);
            return c == '\n';
        }

        private void AddText(char c)
        {
            if (c == '"' || _state == FieldState.Closed)
                _problem ??= StrayQuote;
            else
                _state = FieldState.Plain;
            _field.Append(c);
        }

        private void EndField()
        {
            _fields.Add(_field.ToString());
            _field.Clear();
            _state = FieldState.Empty;
        }
    }
}
