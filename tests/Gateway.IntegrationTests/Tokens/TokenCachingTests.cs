using System.Diagnostics.Metrics;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.Tokens;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.Tokens;

public sealed class TokenCachingTests(TokenFixture fixture) : IClassFixture<TokenFixture>
{
    private readonly TestIssuer _issuer = fixture.Issuer;

    private TokenScheme Scheme => fixture.A.Services.GetRequiredService<TokenSchemes>().Find("shop")!;

    [Fact]
    public async Task A_token_is_validated_once_for_all_nodes_however_many_ask_at_once()
    {
        using var onA = new LookupCounter(fixture.A);
        using var onB = new LookupCounter(fixture.B);
        var token = _issuer.Issue();

        var statuses = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => fixture.A.StatusAsync(token)));
        statuses = [.. statuses, .. await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => fixture.B.StatusAsync(token)))];

        Assert.All(statuses, status => Assert.Equal(200, status));
        Assert.Equal(1, onA["validation"]);
        Assert.Equal(0, onB["validation"]);
        Assert.Equal(1, onB["redis"]);
    }

    [Fact]
    public async Task Those_who_come_while_a_token_is_validated_wait_for_the_one_result()
    {
        using var onA = new LookupCounter(fixture.A);
        var validator = fixture.A.Services.GetRequiredService<TokenValidator>();
        var token = _issuer.Issue();

        // None has a result before the last one asks.
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => validator.ValidateAsync(Scheme, token, CancellationToken.None).AsTask()));

        Assert.All(results, result => Assert.Equal(TokenVerdict.Accepted, result.Verdict));
        Assert.Equal(1, onA["validation"]);
    }

    [Fact]
    public async Task A_flood_of_refusals_is_bounded_and_evicts_no_good_token()
    {
        using var onA = new LookupCounter(fixture.A);
        var token = _issuer.Issue();
        Assert.Equal(200, await fixture.A.StatusAsync(token));
        var cache = fixture.A.Services.GetRequiredService<TokenCache>();
        var keys = Scheme.Keys!.Current;

        var hashes = Enumerable.Range(0, 50_000).Select(i => $"forged {i}").ToArray();
        foreach (var hash in hashes)
            cache.StoreRefusal(hash, TokenKind.Jwt, TokenRefusal.Signature, keys);

        Assert.InRange(hashes.Count(hash => cache.FindRefusal(hash, keys) != TokenRefusal.None), 1, 20_000);
        Assert.Equal(200, await fixture.A.StatusAsync(token));
        Assert.Equal(1, onA["validation"]);
        Assert.Equal(1, onA["memory"]);
    }

    [Fact]
    public void A_refusal_holds_only_with_the_keys_that_it_was_made_with()
    {
        var cache = fixture.A.Services.GetRequiredService<TokenCache>();
        var before = KeySet.Parse(_issuer.Keys);
        var since = KeySet.Parse(_issuer.Keys);

        cache.StoreRefusal("a token", TokenKind.Jwt, TokenRefusal.Signature, before);

        Assert.Equal(TokenRefusal.Signature, cache.FindRefusal("a token", before));
        Assert.Equal(TokenRefusal.None, cache.FindRefusal("a token", since));
    }

    [Fact]
    public async Task A_refusal_stays_in_the_memory_of_the_node()
    {
        using var onA = new LookupCounter(fixture.A);
        var token = _issuer.Issue(change: ("aud", "bank"));
        for (var i = 0; i < 5; i++)
            Assert.Equal(401, await fixture.A.StatusAsync(token));

        Assert.Equal(1, onA["validation"]);
        await using var redis = await fixture.Redis.ConnectAsync();
        var before = await redis.GetServers()[0].KeysAsync(pattern: "*token:2:*").CountAsync();
        Assert.Equal(401, await fixture.A.StatusAsync(_issuer.Issue(change: ("aud", "bank"))));
        Assert.Equal(before, await redis.GetServers()[0].KeysAsync(pattern: "*token:2:*").CountAsync());
    }

    [Fact]
    public async Task A_stored_result_ends_with_its_token()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal(200, await fixture.A.StatusAsync(_issuer.Issue("brief", change: ("exp", now + 20))));

        await using var redis = await fixture.Redis.ConnectAsync();
        await foreach (var key in redis.GetServers()[0].KeysAsync(pattern: "*token:2:*"))
        {
            var left = await redis.GetDatabase().KeyTimeToLiveAsync(key);
            var isBrief = ((string)(await redis.GetDatabase().StringGetAsync(key))!).Contains("brief", StringComparison.Ordinal);
            Assert.InRange(left!.Value, TimeSpan.Zero, isBrief ? TimeSpan.FromSeconds(20) : TimeSpan.FromMinutes(5));
        }
    }

    [Fact]
    public async Task A_token_expires_for_those_who_know_it_too()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        // The scheme allows for 30 s between the clocks.
        var token = _issuer.Issue(change: [("iat", now - 60), ("exp", now - 20)]);
        Assert.Equal(200, await fixture.A.StatusAsync(token));

        await Eventually.TrueAsync(async () => await fixture.A.StatusAsync(token) == 401, "the token has expired", TimeSpan.FromSeconds(20));
        Assert.Equal(401, await fixture.B.StatusAsync(token));
    }

    private sealed class LookupCounter : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Dictionary<string, long> _counts = [];
        private readonly Dictionary<string, long> _before;

        public LookupCounter(GatewayNode node)
        {
            var meters = node.Services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "gateway.tokens.lookups" && instrument.Meter.Scope == meters)
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, value, tags, _) => Add(tags, value));
            _listener.Start();
            _listener.RecordObservableInstruments();
            _before = new(_counts);
        }

        public long this[string source]
        {
            get
            {
                _listener.RecordObservableInstruments();
                lock (_counts)
                    return _counts.GetValueOrDefault(source) - _before.GetValueOrDefault(source);
            }
        }

        public void Dispose() => _listener.Dispose();

        private void Add(ReadOnlySpan<KeyValuePair<string, object?>> tags, long value)
        {
            foreach (var tag in tags)
            {
                if (tag.Key != "source")
                    continue;
                lock (_counts)
                    _counts[(string)tag.Value!] = value;
            }
        }
    }
}
