using System.Globalization;
using System.Text;
using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Gateway.UnitTests.Caching.Semantics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Xunit.Abstractions;

namespace Gateway.UnitTests.Caching.Storage;

/// <summary>Alone, because the heap is everybody's.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class HeapMeasurements
{
    public const string Name = "Heap measurements";
}

/// <summary>What the memory store says it takes is what the heap grows by.</summary>
[Collection(HeapMeasurements.Name)]
public sealed class MemoryFootprintTests(ITestOutputHelper output)
{
    private const int Entries = 8_000;
    private const int BodyBytes = 1024;

    [Theory]
    [InlineData(2000, "?page=1", false, false, false)]
    [InlineData(2000, "?page=1", false, false, true)]
    [InlineData(2150, "?page=1", true, false, false)]
    // With what the variant is found by, and Vary itself.
    [InlineData(2048, "", false, true, false)]
    // With a query the path is a prefix of its own, which nothing else shares.
    [InlineData(2120, "?page=1", false, true, false)]
    public void A_response_of_1_KB_takes_little_more_than_its_texts_and_is_counted_in_full(int most, string query, bool hasTags, bool varies, bool isFromRedis)
    {
        Fill(new MemoryStore(long.MaxValue), 100, query, hasTags, varies, isFromRedis);
        var store = new MemoryStore(long.MaxValue);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Fill(store, Entries, query, hasTags, varies, isFromRedis);
        var perResponse = (GC.GetTotalMemory(forceFullCollection: true) - before) / Entries;
        var counted = store.Size / Entries;

        output.WriteLine($"query: {query}, tags: {hasTags}, Vary: {varies}, from Redis: {isFromRedis}: {perResponse} bytes on the heap, {counted} counted");
        Assert.InRange(perResponse, BodyBytes, most);
        // Counted too low, the process would grow past its limit; too high would waste it. Texts that are shared are counted each time.
        Assert.InRange(counted, perResponse, perResponse * 1.45);
        GC.KeepAlive(store);
    }

    private static void Fill(MemoryStore store, int count, string query, bool hasTags, bool varies, bool isFromRedis)
    {
        for (var i = 0; i < count; i++)
        {
            var request = Request(i, query);
            var key = CacheKey.Primary("catalog", "01234567", request);
            var response = Response(request, i, hasTags, varies);
            var suffix = CacheKey.VariantSuffix(response.Vary, request.Headers);
            if (isFromRedis)
                response = (StoredResponse)StoredEntryFormat.Read(key + suffix, StoredEntryFormat.Write(key + suffix, response))!;
            store.Set(key, varies ? VaryIndex.Empty.With(response.Vary, suffix, response) : response);
        }
    }

    private static HttpRequest Request(int i, string query)
    {
        var request = new DefaultHttpContext().Request;
        request.Scheme = "https";
        request.Host = new HostString("shop.example.com");
        request.Path = $"/catalog/products/{i.ToString("D6", CultureInfo.InvariantCulture)}";
        request.QueryString = new QueryString(query);
        request.Headers.AcceptEncoding = "gzip, br";
        return request;
    }

    // What an application answers, ten times a second. Each text is its own, as it is when it came over the wire.
    private static StoredResponse Response(HttpRequest request, int i, bool hasTags, bool varies)
    {
        List<(string Name, string Value)> fields =
        [
            ("Content-Type", "application/json; charset=utf-8"), ("Date", HttpDate.Format(Fields.Now.AddSeconds(i / 10))), ("Cache-Control", "public, max-age=600"),
            ("ETag", $"\"{i:x8}\""), ("Last-Modified", HttpDate.Format(Fields.Now.AddSeconds(-i))),
        ];
        List<Selector> selectors = [.. TargetSelectors.Of("catalog", CacheKey.Url(request))];
        if (hasTags)
        {
            fields.Add(("Surrogate-Key", $"catalog product-{i}"));
            selectors.AddRange([Selector.Tag("catalog"), Selector.Tag($"product-{i}")]);
        }

        if (varies)
            fields.Add(("Vary", "Accept-Encoding"));
        return new StoredResponse
        {
            Status = 200,
            Fields = [.. fields.Select(field => KeyValuePair.Create(field.Name, new StringValues(SharedText.Of(new StringBuilder(field.Value).ToString()))))],
            Body = new byte[BodyBytes],
            ResponseTime = Fields.Now,
            InitialAge = 0,
            FreshnessLifetime = 600,
            Stamp = default,
            Selectors = [.. selectors.Select(selector => new Selector(SharedText.Of(selector.Text)))],
        };
    }
}
