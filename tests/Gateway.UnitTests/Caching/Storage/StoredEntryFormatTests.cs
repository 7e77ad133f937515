using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Microsoft.Extensions.Primitives;

namespace Gateway.UnitTests.Caching.Storage;

public sealed class StoredEntryFormatTests
{
    private const string Key = "key";

    private static readonly StoredResponse Response = new()
    {
        Status = 203,
        Fields =
        [
            new("Cache-Control", "max-age=60"), new("ETag", "\"é\""), new("Vary", "a"), new("Empty", ""),
            new("Set-Cookie", new StringValues(["a=1", "b=2"])),
        ],
        Body = new byte[] { 0, 1, 2, 255 },
        ResponseTime = DateTimeOffset.FromUnixTimeMilliseconds(1_770_000_000_123),
        InitialAge = 7,
        FreshnessLifetime = 60,
        Stamp = new ChangeStamp(42, 99, 0),
        Selectors = [Selector.All, Selector.Tag("red")],
    };

    [Fact]
    public void A_response_comes_back_as_it_was()
    {
        var read = Assert.IsType<StoredResponse>(StoredEntryFormat.Read(Key, StoredEntryFormat.Write(Key, Response)));

        Assert.Equal(Response.Fields.Select(field => (field.Key, field.Value.ToString())), read.Fields.Select(field => (field.Key, field.Value.ToString())));
        Assert.Equal(Response.Body.ToArray(), read.Body.ToArray());
        Assert.Equal(
            (Response.Status, Response.ResponseTime, Response.InitialAge, Response.FreshnessLifetime, Response.Stamp),
            (read.Status, read.ResponseTime, read.InitialAge, read.FreshnessLifetime, read.Stamp));
        Assert.Equal(Response.Selectors, read.Selectors);
        Assert.Equal((60L, "\"é\"", 1), (read.CacheControl.MaxAge, read.ETag, read.Vary.Names.Length));
    }

    [Fact]
    public void An_index_comes_back_as_it_was()
    {
        var index = VaryIndex.Empty.With(VaryRule.Parse("a, b"), "one", null).With(VaryRule.Parse("c"), "two", null);

        var read = Assert.IsType<VaryIndex>(StoredEntryFormat.Read(Key, StoredEntryFormat.Write(Key, index, null)));

        Assert.Equal(index.Rules, read.Rules);
        Assert.Equal(["two", "one"], read.Variants.Select(variant => variant.Suffix));
        Assert.All(read.Variants, variant => Assert.Null(variant.Response));
    }

    [Fact]
    public void An_index_brings_the_response_of_its_first_variant()
    {
        var index = VaryIndex.Empty.With(VaryRule.Parse("a"), "one", Response).With(VaryRule.Parse("a"), "two", Response);

        var read = Assert.IsType<VaryIndex>(StoredEntryFormat.Read(Key, StoredEntryFormat.Write(Key, index, Response)));

        Assert.Equal(Response.Body.ToArray(), read.Variants[0].Response?.Body.ToArray());
        Assert.Null(read.Variants[1].Response);
    }

    [Fact]
    public void An_index_with_a_response_of_no_variant_is_a_miss() =>
        Assert.Null(StoredEntryFormat.Read(Key, StoredEntryFormat.Write(Key, VaryIndex.Empty, Response)));

    [Fact]
    public void What_stands_under_another_key_is_a_miss() => Assert.Null(StoredEntryFormat.Read("other", StoredEntryFormat.Write(Key, Response)));

    [Fact]
    public void Another_version_and_another_magic_are_misses()
    {
        foreach (var position in new[] { 0, 1, 2 })
        {
            for (var value = 0; value < 256; value++)
            {
                var bytes = StoredEntryFormat.Write(Key, Response).ToArray();
                if (bytes[position] == value)
                    continue;
                bytes[position] = (byte)value;
                Assert.Null(StoredEntryFormat.Read(Key, bytes) as StoredResponse);
            }
        }
    }

    [Fact]
    public void A_cut_value_is_a_miss_wherever_it_is_cut()
    {
        var bytes = StoredEntryFormat.Write(Key, Response).ToArray();
        for (var length = 0; length < bytes.Length; length++)
            Assert.Null(StoredEntryFormat.Read(Key, bytes.AsMemory(0, length)));
        Assert.Null(StoredEntryFormat.Read(Key, (byte[])[.. bytes, 0]));
    }

    [Fact]
    public void No_bytes_make_the_reader_throw()
    {
        var random = new Random(3);
        var index = VaryIndex.Empty.With(VaryRule.Parse("a, b"), "one", Response);
        byte[][] written =
        [
            StoredEntryFormat.Write(Key, Response).ToArray(), StoredEntryFormat.Write(Key, index, null).ToArray(), StoredEntryFormat.Write(Key, index, Response).ToArray(),
        ];
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = (byte[])written[i % written.Length].Clone();
            for (var change = random.Next(1, 5); change > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            StoredEntryFormat.Read(Key, bytes);
            random.NextBytes(bytes);
            StoredEntryFormat.Read(Key, bytes);
        }
    }
}
