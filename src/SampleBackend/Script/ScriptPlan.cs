using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace SampleBackend.Script;

/// <summary>
/// What a scripted answer shall be, read from a query and checked whole. Parameters that are none of these are left
/// alone: a test may want them in its cache key.
/// </summary>
/// <remarks>
/// <c>status</c> 200–599 · <c>header=Name:value</c>, repeatable · <c>body</c> or <c>size</c> (bytes, up to 256 MB) ·
/// <c>delay</c> (ms before the fields) · <c>hold=1</c> (wait for <c>POST /_script/release</c>) · <c>bodyDelay</c> (ms
/// between chunks) · <c>chunkSize</c> (bytes) · <c>chunked=1</c> (no Content-Length) · <c>cut=N</c> (break the
/// connection after N bytes of the body) · <c>abort=1</c> (break it before the fields) · <c>etag</c> and
/// <c>lastModified</c> (304 where the request's conditions ask for it) · <c>seq=1</c> (the body begins with a number
/// that grows with every answer) · <c>echo=Name</c>, repeatable (the body shows that request field).
/// </remarks>
internal sealed record ScriptPlan(
    int Status,
    IReadOnlyList<KeyValuePair<string, string>> Fields,
    string? Body,
    long Size,
    TimeSpan Delay,
    bool Hold,
    TimeSpan BodyDelay,
    int ChunkSize,
    bool Chunked,
    long? Cut,
    bool Abort,
    EntityTagHeaderValue? ETag,
    DateTimeOffset? LastModified,
    bool Seq,
    IReadOnlyList<string> Echo)
{
    /// <summary>The longest wait that a script can ask for, in any one place.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    private const long LargestSize = 256L * 1024 * 1024;
    private const int LargestChunk = 1024 * 1024;
    private const int DefaultChunk = 64 * 1024;
    private const int MostFields = 64;

    /// <summary>Answers without a body (RFC 9110 §6.4.1, §15.3.6).</summary>
    public bool HasBody => Status is not (204 or 205 or 304);

    /// <summary>Reads a plan; every parameter that is wrong adds an error that says what it must be.</summary>
    public static ScriptPlan Read(IQueryCollection query, List<string> errors)
    {
        var reader = new ScriptQuery(query, errors);
        var plan = new ScriptPlan(
            (int)(reader.Number("status", 200, 599) ?? 200),
            ReadFields(query, errors),
            reader.Text("body"),
            reader.Number("size", 0, LargestSize) ?? 0,
            Milliseconds(reader, "delay"),
            reader.Flag("hold"),
            Milliseconds(reader, "bodyDelay"),
            (int)(reader.Number("chunkSize", 1, LargestChunk) ?? DefaultChunk),
            reader.Flag("chunked"),
            reader.Number("cut", 0, LargestSize),
            reader.Flag("abort"),
            ReadETag(reader, errors),
            ReadDate(reader, errors),
            reader.Flag("seq"),
            ReadNames(query, errors));
        if (plan.Body is not null && plan.Size > 0) errors.Add("body, size: one of them, not both.");
        if (plan.BodyDelay > TimeSpan.Zero && plan.Size / plan.ChunkSize > 1000)
            errors.Add("bodyDelay: with at most 1,000 chunks; make size smaller or chunkSize larger.");
        return plan;
    }

    private static TimeSpan Milliseconds(ScriptQuery reader, string name) =>
        TimeSpan.FromMilliseconds(reader.Number(name, 0, (long)LongestDelay.TotalMilliseconds) ?? 0);

    private static EntityTagHeaderValue? ReadETag(ScriptQuery reader, List<string> errors)
    {
        if (reader.Text("etag") is not { } text) return null;
        if (EntityTagHeaderValue.TryParse(text.Contains('"', StringComparison.Ordinal) ? text : $"\"{text}\"", out var tag)) return tag;
        errors.Add("etag: an opaque tag, with or without its quotes, as v1 or W/\"v1\".");
        return null;
    }

    private static DateTimeOffset? ReadDate(ScriptQuery reader, List<string> errors)
    {
        if (reader.Text("lastModified") is not { } text) return null;
        if (HeaderUtilities.TryParseDate(text, out var date)) return date;
        errors.Add("lastModified: an HTTP date, as Wed, 01 Jan 2025 08:00:00 GMT.");
        return null;
    }

    private static List<KeyValuePair<string, string>> ReadFields(IQueryCollection query, List<string> errors)
    {
        var fields = new List<KeyValuePair<string, string>>();
        foreach (var text in query["header"])
        {
            var colon = text!.IndexOf(':', StringComparison.Ordinal);
            var (name, value) = colon > 0 ? (text[..colon], text[(colon + 1)..].Trim(' ', '\t')) : ("", "");
            if (!IsToken(name) || !value.All(c => c is '\t' or (>= ' ' and not '\x7f' and <= '\xff')))
                errors.Add("header: Name:value, the name a token, the value without control characters (RFC 9110 §5).");
            else if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
                errors.Add($"header: {name} follows from body, size, chunked and cut.");
            else
                fields.Add(KeyValuePair.Create(name, value));
        }
        if (fields.Count > MostFields) errors.Add($"header: at most {MostFields}.");
        return fields;
    }

    private static List<string> ReadNames(IQueryCollection query, List<string> errors)
    {
        List<string> names = [.. query["echo"].Select(name => name ?? "")];
        if (names.Count > MostFields || !names.All(IsToken)) errors.Add($"echo: the name of a request field, at most {MostFields} times.");
        return names;
    }

    private static bool IsToken(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));
}

/// <summary>Reads one query parameter at a time and notes what is wrong with it.</summary>
internal sealed class ScriptQuery(IQueryCollection query, List<string> errors)
{
    public string? Text(string name)
    {
        if (!query.TryGetValue(name, out var values)) return null;
        if (values.Count == 1) return values[0];
        errors.Add($"{name}: once.");
        return null;
    }

    public long? Number(string name, long least, long most)
    {
        if (Text(name) is not { } text) return null;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
        errors.Add($"{name}: a whole number from {least} to {most}.");
        return null;
    }

    public bool Flag(string name)
    {
        if (Text(name) is not { } text || text == "0") return false;
        if (text != "1") errors.Add($"{name}: 1 or 0.");
        return true;
    }
}
