using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

/// <summary>The variants of a target as nodes share them: the latest in the index itself, the others under keys of their own.</summary>
public sealed class SharedVariantTests : TwoNodeTests
{
    private const string Fleeting = "la";

    private int _fetches;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Origin.Map("/x", AnswerAsync);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(20_000)]
    public async Task A_node_that_starts_finds_every_variant(int padding)
    {
        foreach (var language in new[] { "de", "en", "fr" })
            await GetAsync(A, language, padding);

        await using var late = await CacheTestNode.StartAsync(Origin, Redis);
        foreach (var language in new[] { "en", "de", "fr" })
            Assert.StartsWith(language, await GetAsync(late, language, padding), StringComparison.Ordinal);

        Assert.Equal(3, Origin.Count("/x"));
    }

    [Fact]
    public async Task Variants_of_different_nodes_are_found_by_both_and_by_others()
    {
        var de = await GetAsync(A, "de");
        var en = await GetAsync(B, "en");

        await using var late = await CacheTestNode.StartAsync(Origin, Redis);
        foreach (var node in new[] { late, A, B })
            Assert.Equal((de, en), (await GetAsync(node, "de"), await GetAsync(node, "en")));
        Assert.Equal(2, Origin.Count("/x"));
    }

    [Fact]
    public async Task An_older_copy_in_one_node_s_memory_does_not_replace_a_newer_one_of_another()
    {
        await GetAsync(A, "de");
        await GetAsync(A, "en");
        var newer = await (await B.GetAsync("/x?10", ("Accept-Language", "de"), ("Cache-Control", "no-cache"))).TextAsync();
        await GetAsync(B, "it");

        await GetAsync(A, "fr");

        await using var late = await CacheTestNode.StartAsync(Origin, Redis);
        Assert.Equal(newer, await GetAsync(late, "de"));
    }

    [Fact]
    public async Task A_target_with_one_variant_has_one_key_in_Redis_and_with_two_a_second()
    {
        await GetAsync(A, "de");
        Assert.Single(await KeysAsync());

        await GetAsync(B, "en");

        Assert.Equal(2, (await KeysAsync()).Length);
    }

    [Fact]
    public async Task A_variant_that_ends_soon_does_not_take_the_index_of_the_others_with_it()
    {
        await GetAsync(A, "de");
        var index = Assert.Single(await KeysAsync());

        var end = (long)await Redis.ExecuteAsync("PTTL", index);

        await GetAsync(A, Fleeting);

        Assert.InRange((long)await Redis.ExecuteAsync("PTTL", index), end - 20_000, end + 20_000);
    }

    [Fact]
    public async Task A_variant_with_a_body_over_the_limit_of_Redis_does_not_stand_in_the_index_there()
    {
        var config = new
        {
            ReverseProxy = Origin.ProxySection(("OutputCachePolicy", "origin")),
            OutputCache = new { RedisBodyLimit = 1_000 },
            Redis = new { Deadline = "00:00:02" },
        };
        await using var node = await GatewayNode.StartAsync(config, Redis.ConnectionString);

        await GetAsync(node, "de", padding: 2_000);
        Assert.Empty(await KeysAsync());

        await GetAsync(node, "de", padding: 500);
        Assert.Single(await KeysAsync());
    }

    [Fact]
    public async Task What_a_304_said_of_a_variant_reaches_other_nodes_also_when_it_leaves_the_index()
    {
        Origin.Map("/y", context =>
        {
            var isValidated = context.Request.Headers.IfNoneMatch.Count > 0;
            context.Response.Headers.ETag = $"\"{context.Request.Headers.AcceptLanguage}\"";
            context.Response.Headers.Vary = "Accept-Language";
            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers["X-Round"] = isValidated ? "second" : "first";
            context.Response.StatusCode = isValidated ? StatusCodes.Status304NotModified : StatusCodes.Status200OK;
            return isValidated ? Task.CompletedTask : context.Response.WriteAsync("body");
        });
        foreach (var language in new[] { "de", "en" })
            await A.GetAsync("/y", ("Accept-Language", language));
        await A.GetAsync("/y", ("Accept-Language", "de"), ("Cache-Control", "no-cache"));
        await A.GetAsync("/y", ("Accept-Language", "fr"));

        await using var late = await CacheTestNode.StartAsync(Origin, Redis);
        var hit = await late.GetAsync("/y", ("Accept-Language", "de"));
        Assert.Contains("; hit;", hit.CacheStatus(), StringComparison.Ordinal);
        Assert.Equal("second", hit.Headers.GetValues("X-Round").Single());
    }

    private static async Task<string> GetAsync(GatewayNode node, string language, int padding = 10) =>
        await (await node.GetAsync($"/x?{padding}", ("Accept-Language", language))).TextAsync();

    private async Task<string[]> KeysAsync() => (string[])(await Redis.ExecuteAsync("KEYS", "*response:*"))!;

    private Task AnswerAsync(HttpContext context)
    {
        var text = $"{context.Request.Headers.AcceptLanguage} {Interlocked.Increment(ref _fetches)} ";
        context.Response.Headers.CacheControl = context.Request.Headers.AcceptLanguage == Fleeting ? "max-age=1" : "max-age=60";
        context.Response.Headers.Vary = "Accept-Language";
        return context.Response.WriteAsync(text + new string('.', int.Parse(context.Request.QueryString.Value![1..], System.Globalization.CultureInfo.InvariantCulture)));
    }
}
