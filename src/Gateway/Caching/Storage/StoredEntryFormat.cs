using Gateway.Caching.Semantics;
using Gateway.ChangeLog;
using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Storage;

/// <summary>
/// The bytes of an entry in Redis. Append only: a change makes a new version, and readers treat every other version,
/// every foreign or cut value as a miss.
/// <code>
/// entry    = %x47 version kind key ( response / index )              ; "G", 5
/// response = status response-time(ms) initial-age lifetime epoch number
///            count *selector count *( name count *value ) body       ; kind 1
/// index    = count *( count *name ) count *variant [ response ]      ; kind 0, or 2 with the first variant's response
/// </code>
/// Integers are 7-bit encoded, texts and the body are length-prefixed. The key is repeated, so that a value under a
/// wrong name is never taken for another's.
/// </summary>
internal static class StoredEntryFormat
{
    private const byte Magic = (byte)'G', Version = 5, IndexKind = 0, ResponseKind = 1, IndexWithResponseKind = 2;
    private const int MaxCopiedBody = 64 * 1024;
    // Beside the body: what fields and selectors of most responses take.
    private const int UsualHead = 768;

    /// <returns>The bytes, in an array of the shared pool.</returns>
    public static ArraySegment<byte> Write(string key, StoredResponse response)
    {
        var writer = Begin(key, ResponseKind, response.Body.Length);
        WriteResponse(ref writer, response);
        return writer.Written;
    }

    /// <param name="latest">The response of the first variant, if it is to stand in the index.</param>
    /// <inheritdoc cref="Write(string, StoredResponse)"/>
    public static ArraySegment<byte> Write(string key, VaryIndex index, StoredResponse? latest)
    {
        var writer = Begin(key, latest is null ? IndexKind : IndexWithResponseKind, latest?.Body.Length ?? 0);
        WriteIndex(ref writer, index);
        if (latest is not null)
            WriteResponse(ref writer, latest);
        return writer.Written;
    }

    /// <returns>The entry; null for what this version does not read.</returns>
    public static StoredEntry? Read(string key, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var reader = new EntryReader(bytes);
            if (reader.ReadByte() != Magic || reader.ReadByte() != Version)
                return null;
            var kind = reader.ReadByte();
            if (kind > IndexWithResponseKind || !reader.ReadsText(key))
                return null;
            StoredEntry? entry = kind == ResponseKind ? ReadResponse(ref reader) : ReadIndex(ref reader, kind == IndexWithResponseKind);
            return reader.IsAtEnd ? entry : null;
        }
        catch (Exception exception) when (exception is InvalidDataException or ArgumentException)
        {
            // Cut or foreign bytes: Redis is shared, and a bad value must cost no more than a miss.
            return null;
        }
    }

    private static EntryWriter Begin(string key, byte kind, int bodyLength)
    {
        var writer = new EntryWriter(UsualHead + bodyLength);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(kind);
        writer.WriteText(key);
        return writer;
    }

    private static void WriteIndex(ref EntryWriter writer, VaryIndex index)
    {
        writer.WriteNumber(index.Rules.Length);
        foreach (var rule in index.Rules)
            writer.WriteTexts(rule.Names);
        writer.WriteNumber(index.Variants.Length);
        foreach (var variant in index.Variants)
            writer.WriteText(variant.Suffix);
    }

    private static VaryIndex? ReadIndex(ref EntryReader reader, bool hasResponse)
    {
        var rules = new VaryRule[reader.ReadCount()];
        for (var i = 0; i < rules.Length; i++)
            rules[i] = VaryRule.FromNames(reader.ReadTexts());

        var variants = Array.ConvertAll(reader.ReadTexts(), static suffix => new Variant(suffix, null));
        if (hasResponse)
        {
            if (variants.Length == 0 || ReadResponse(ref reader) is not { } response)
                return null;
            variants[0] = new Variant(variants[0].Suffix, response);
        }

        return new VaryIndex(rules is [var only] ? only.Alone : rules, variants);
    }

    private static void WriteResponse(ref EntryWriter writer, StoredResponse response)
    {
        writer.WriteNumber(response.Status);
        writer.WriteNumber(response.ResponseTime.ToUnixTimeMilliseconds());
        writer.WriteNumber(response.InitialAge);
        writer.WriteNumber(response.FreshnessLifetime);
        writer.WriteNumber(response.Stamp.Epoch);
        writer.WriteNumber(response.Stamp.Number);
        writer.WriteNumber(response.Selectors.Length);
        foreach (var selector in response.Selectors)
            writer.WriteText(selector.Text);
        writer.WriteNumber(response.Fields.Length);
        foreach (var (name, values) in response.Fields)
        {
            writer.WriteText(name);
            writer.WriteTexts(values);
        }

        writer.WriteBytes(response.Body.Span);
    }

    private static StoredResponse? ReadResponse(ref EntryReader reader)
    {
        var status = reader.ReadNumber();
        var responseTime = DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadNumber());
        var initialAge = reader.ReadNumber();
        var lifetime = reader.ReadNumber();
        // Changes another node could not write to the log are not this node's: the local number is 0.
        var stamp = new ChangeStamp(reader.ReadNumber(), reader.ReadNumber(), 0);
        var selectors = new Selector[reader.ReadCount()];
        for (var i = 0; i < selectors.Length; i++)
            selectors[i] = new Selector(reader.ReadText());
        var fields = new KeyValuePair<string, StringValues>[reader.ReadCount()];
        for (var i = 0; i < fields.Length; i++)
            fields[i] = new(reader.ReadText(), reader.ReadValues());
        var body = reader.ReadBytes();
        if (status is < 200 or > 999)
            return null;
        return new StoredResponse
        {
            Status = (int)status,
            Fields = fields,
            // A large body is a part of what Redis sent, not a copy of it; beside a small one, the rest would weigh too much.
            Body = body.Length > MaxCopiedBody ? body : body.ToArray(),
            ResponseTime = responseTime,
            InitialAge = initialAge,
            FreshnessLifetime = lifetime,
            Stamp = stamp,
            Selectors = selectors,
        };
    }
}
