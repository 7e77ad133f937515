using System.Text;
using Gateway.Caching.Semantics;
using Gateway.ChangeLog;
using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Storage;

/// <summary>
/// The bytes of an entry in Redis. Append only: a change makes a new version, and readers treat every other version,
/// every foreign or cut value as a miss.
/// <code>
/// entry    = %x47 version kind content          ; "G", 3
/// index    = key count *( count *name ) count *variant              ; kind 0
/// response = key status response-time(ms) initial-age lifetime epoch number
///            count *selector count *( name count *value ) body    ; kind 1
/// </code>
/// Integers are 7-bit encoded, texts and the body are length-prefixed. The key is repeated, so that a value under a
/// wrong name is never taken for another's.
/// </summary>
internal static class StoredEntryFormat
{
    private const byte Magic = (byte)'G', Version = 3, IndexKind = 0, ResponseKind = 1;
    private const int MaxCount = 10_000;
    private const int MaxCopiedBody = 64 * 1024;

    public static byte[] Write(string key, StoredEntry entry)
    {
        using var stream = new MemoryStream(capacity: (int)Math.Min(entry.Size, int.MaxValue / 2));
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(Magic);
        writer.Write(Version);
        if (entry is StoredResponse response)
            WriteResponse(writer, key, response);
        else
            WriteIndex(writer, key, (VaryIndex)entry);
        writer.Flush();
        return stream.ToArray();
    }

    /// <returns>The entry; null for what this version does not read.</returns>
    public static StoredEntry? Read(string key, byte[] bytes)
    {
        try
        {
            using var stream = new MemoryStream(bytes, writable: false);
            using var reader = new BinaryReader(stream, Encoding.UTF8);
            if (reader.ReadByte() != Magic || reader.ReadByte() != Version)
                return null;
            var kind = reader.ReadByte();
            if (reader.ReadString() != key)
                return null;
            return kind switch
            {
                IndexKind => ReadIndex(reader),
                ResponseKind => ReadResponse(reader, bytes, stream),
                _ => null,
            };
        }
        catch (Exception exception) when (exception is IOException or FormatException or InvalidDataException or ArgumentException)
        {
            // Cut or foreign bytes: Redis is shared, and a bad value must cost no more than a miss.
            return null;
        }
    }

    private static void WriteIndex(BinaryWriter writer, string key, VaryIndex index)
    {
        writer.Write(IndexKind);
        writer.Write(key);
        writer.Write7BitEncodedInt(index.Rules.Length);
        foreach (var rule in index.Rules)
            WriteTexts(writer, rule.Names);
        WriteTexts(writer, Array.ConvertAll(index.Variants, variant => variant.Suffix));
    }

    private static VaryIndex ReadIndex(BinaryReader reader)
    {
        var rules = new VaryRule[ReadCount(reader)];
        for (var i = 0; i < rules.Length; i++)
            rules[i] = VaryRule.FromNames(ReadTexts(reader));
        return new VaryIndex(rules, Array.ConvertAll(ReadTexts(reader), suffix => new Variant(suffix, null)));
    }

    private static void WriteResponse(BinaryWriter writer, string key, StoredResponse response)
    {
        writer.Write(ResponseKind);
        writer.Write(key);
        writer.Write7BitEncodedInt(response.Status);
        writer.Write7BitEncodedInt64(response.ResponseTime.ToUnixTimeMilliseconds());
        writer.Write7BitEncodedInt64(response.InitialAge);
        writer.Write7BitEncodedInt64(response.FreshnessLifetime);
        writer.Write7BitEncodedInt64(response.Stamp.Epoch);
        writer.Write7BitEncodedInt64(response.Stamp.Number);
        WriteTexts(writer, Array.ConvertAll(response.Selectors, selector => selector.Text));
        writer.Write7BitEncodedInt(response.Fields.Length);
        foreach (var (name, values) in response.Fields)
        {
            writer.Write(name);
            WriteTexts(writer, values.ToArray()!);
        }

        writer.Write7BitEncodedInt(response.Body.Length);
        writer.Write(response.Body.Span);
    }

    private static StoredResponse? ReadResponse(BinaryReader reader, byte[] bytes, MemoryStream stream)
    {
        var status = reader.Read7BitEncodedInt();
        var responseTime = DateTimeOffset.FromUnixTimeMilliseconds(reader.Read7BitEncodedInt64());
        var initialAge = reader.Read7BitEncodedInt64();
        var lifetime = reader.Read7BitEncodedInt64();
        // Changes another node could not write to the log are not this node's: the local number is 0.
        var stamp = new ChangeStamp(reader.Read7BitEncodedInt64(), reader.Read7BitEncodedInt64(), 0);
        var selectors = Array.ConvertAll(ReadTexts(reader), text => new Selector(text));
        var fields = new KeyValuePair<string, StringValues>[ReadCount(reader)];
        for (var i = 0; i < fields.Length; i++)
            fields[i] = new(SharedText.Of(reader.ReadString()), ReadValues(reader));

        var length = reader.Read7BitEncodedInt();
        if (status is < 200 or > 999 || length < 0 || length != bytes.Length - stream.Position)
            return null;
        return new StoredResponse
        {
            Status = status,
            Fields = fields,
            // A large body is a part of what Redis sent, not a copy of it; beside a small one, the rest would weigh too much.
            Body = length > MaxCopiedBody ? bytes.AsMemory((int)stream.Position, length) : bytes.AsSpan((int)stream.Position, length).ToArray(),
            ResponseTime = responseTime,
            InitialAge = initialAge,
            FreshnessLifetime = lifetime,
            Stamp = stamp,
            Selectors = selectors,
        };
    }

    private static void WriteTexts(BinaryWriter writer, string[] texts)
    {
        writer.Write7BitEncodedInt(texts.Length);
        foreach (var text in texts)
            writer.Write(text ?? "");
    }

    private static string[] ReadTexts(BinaryReader reader)
    {
        var texts = new string[ReadCount(reader)];
        for (var i = 0; i < texts.Length; i++)
            texts[i] = SharedText.Of(reader.ReadString());
        return texts;
    }

    private static StringValues ReadValues(BinaryReader reader) =>
        ReadTexts(reader) is var texts && texts.Length == 1 ? new StringValues(texts[0]) : new StringValues(texts);

    private static int ReadCount(BinaryReader reader) =>
        reader.Read7BitEncodedInt() is var count and >= 0 and <= MaxCount ? count : throw new InvalidDataException();
}
