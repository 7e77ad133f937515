using System.Collections.Concurrent;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.Tokens;

public sealed class TokenSecretTests
{
    [Fact]
    public async Task No_token_is_in_Redis_or_in_any_log()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = await TestOrigin.StartAsync();
        origin.Map("/page", "page", ("Cache-Control", "public, max-age=60"));
        await using var issuer = await TestIssuer.StartAsync();
        var log = new EveryMessage();
        await using var node = await TokenNode.StartAsync(origin, issuer, redis, configure: builder =>
        {
            builder.Logging.SetMinimumLevel(LogLevel.Trace).AddFilter(_ => true);
            builder.Logging.AddProvider(log);
        });

        string[] tokens = [issuer.Issue(), issuer.Issue("bob"), issuer.Issue(change: ("aud", "bank")), issuer.Issue(type: "JWT")];
        foreach (var token in tokens)
            await node.StatusAsync(token);
        (await node.RevokeAsync(new { token = tokens[1] }, wait: true)).Dispose();
        Assert.Equal(401, await node.StatusAsync(tokens[1]));
        (await node.RevokeAsync(new { token = tokens[0], jti = "both" })).Dispose();

        var kept = await EverythingAsync(redis);
        Assert.NotEmpty(kept);
        Assert.NotEmpty(log.Messages);
        foreach (var part in tokens.SelectMany(token => token.Split('.').Skip(1)))
        {
            Assert.DoesNotContain(kept, text => text.Contains(part, StringComparison.Ordinal));
            Assert.DoesNotContain(log.Messages, text => text.Contains(part, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task No_opaque_token_API_key_or_client_secret_is_in_Redis_or_in_any_log()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = await TestOrigin.StartAsync();
        origin.Map("/page", "page", ("Cache-Control", "public, max-age=60"));
        await using var provider = await TestProvider.StartAsync();
        var log = new EveryMessage();
        var introspection = new { provider.Endpoint, TestProvider.ClientId, TestProvider.ClientSecret };
        await using var node = await GatewayNode.StartAsync(
            new
            {
                ReverseProxy = new
                {
                    Routes = new
                    {
                        asked = new { ClusterId = "origin", Match = new { Path = "/page" }, AuthorizationPolicy = "asked", OutputCachePolicy = "origin" },
                        partners = new { ClusterId = "origin", Match = new { Path = "/partners" }, AuthorizationPolicy = "partners" },
                    },
                    Clusters = new { origin = new { Destinations = new { one = new { origin.Address } } } },
                },
                Tokens = new { Schemes = new { asked = (object)new { Introspection = introspection }, partners = new { ApiKeys = new { Enabled = true } } } },
            },
            redis.ConnectionString,
            configure: builder =>
            {
                builder.Logging.SetMinimumLevel(LogLevel.Trace).AddFilter(_ => true);
                builder.Logging.AddProvider(log);
            });

        string[] tokens = [provider.Issue(), provider.Issue("bob"), "nobody-issued-this-secret"];
        foreach (var token in tokens)
            await node.StatusAsync(token);
        (await node.RevokeAsync(new { token = tokens[1] })).Dispose();
        provider.IsDown = true;
        Assert.Equal(503, await node.StatusAsync("another-secret-without-answer"));
        var (first, id) = await node.IssueAsync();
        Assert.Equal(404, await node.KeyStatusAsync(first, "/partners"));
        var second = await node.RotateAsync(id, 60);
        Assert.Equal(404, await node.KeyStatusAsync(second, "/partners"));
        Assert.Equal(401, await node.KeyStatusAsync(first[..^1], "/partners"));
        (await node.Admin.DeleteAsync($"/api-keys/{id}")).Dispose();

        var kept = await EverythingAsync(redis);
        Assert.NotEmpty(kept);
        foreach (var secret in tokens.Concat(["another-secret-without-answer", first[17..^1], second[17..^1], TestProvider.ClientSecret, "c%25ret"]))
        {
            Assert.DoesNotContain(kept, text => text.Contains(secret, StringComparison.Ordinal));
            Assert.DoesNotContain(log.Messages, text => text.Contains(secret, StringComparison.Ordinal));
        }
    }

    private static async Task<List<string>> EverythingAsync(RedisServer server)
    {
        await using var connection = await server.ConnectAsync();
        var database = connection.GetDatabase();
        var all = new List<string>();
        await foreach (var key in connection.GetServers()[0].KeysAsync())
        {
            all.Add(key!);
            all.AddRange(await database.KeyTypeAsync(key) switch
            {
                RedisType.String => [Encoding.Latin1.GetString((byte[])(await database.StringGetAsync(key))!)],
                RedisType.Hash => (await database.HashGetAllAsync(key)).Select(entry => $"{entry.Name} {entry.Value}"),
                RedisType.SortedSet => (await database.SortedSetRangeByRankAsync(key)).Select(member => (string)member!),
                _ => [],
            });
        }

        return all;
    }

    private sealed class EveryMessage : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _messages = new();

        public IReadOnlyCollection<string> Messages => _messages;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            _messages.Enqueue($"{state}");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _messages.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
