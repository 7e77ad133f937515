using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>A provider that is asked about opaque tokens, and can be slow, broken or away.</summary>
internal sealed class TestProvider : IAsyncDisposable
{
    public const string Issuer = "https://provider.example";
    public const string ClientId = "gate:way";
    public const string ClientSecret = "s e+c%ret/ä";
    private const string Path = "/introspect";

    private readonly TestOrigin _endpoint;
    private readonly ConcurrentDictionary<string, Dictionary<string, object>> _tokens = new(StringComparer.Ordinal);

    private TestProvider(TestOrigin endpoint)
    {
        _endpoint = endpoint;
        _endpoint.Map(Path, AnswerAsync);
    }

    public string Endpoint => _endpoint.Address + Path[1..];

    /// <summary>How often it was asked.</summary>
    public int Calls => _endpoint.Count(Path);

    public bool IsDown { get; set; }

    /// <summary>What it answers instead of the truth.</summary>
    public string? Nonsense { get; set; }

    /// <summary>What it says its answers are; null: nothing.</summary>
    public string? ContentType { get; set; } = "application/json";

    /// <summary>What it waits for before it answers.</summary>
    public Task Hold { get; set; } = Task.CompletedTask;

    public static async Task<TestProvider> StartAsync() => new(await TestOrigin.StartAsync());

    /// <summary>Issues a token of random characters.</summary>
    /// <param name="change">Changes to what is said of it; null removes one.</param>
    public string Issue(string subject = "alice", params (string Name, object? Value)[] change)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var token = RandomNumberGenerator.GetHexString(40, lowercase: true) + "~/+";
        var answer = new Dictionary<string, object>
        {
            ["active"] = true,
            ["iss"] = Issuer,
            ["aud"] = new[] { "other", TestIssuer.Audience },
            ["sub"] = subject,
            ["jti"] = "id-of-" + token[..8],
            ["iat"] = now,
            ["exp"] = now + 600,
            ["scope"] = "read write",
        };
        foreach (var (name, value) in change)
        {
            if (value is null)
                answer.Remove(name);
            else
                answer[name] = value;
        }

        _tokens[token] = answer;
        return token;
    }

    /// <summary>Says of <paramref name="token"/> what it says of one that it issues.</summary>
    public void Accept(string token) => _tokens[token] = _tokens[Issue()];

    /// <summary>Ends a token at the provider, of which the gateway is not told.</summary>
    public void End(string token) => _tokens[token] = new() { ["active"] = false };

    public ValueTask DisposeAsync() => _endpoint.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var hold = Hold;
        await hold.WaitAsync(context.RequestAborted);
        if (IsDown || context.Request.Headers.Authorization != "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes("gate%3Away:s+e%2Bc%25ret%2F%C3%A4")))
        {
            context.Response.StatusCode = IsDown ? StatusCodes.Status500InternalServerError : StatusCodes.Status401Unauthorized;
            return;
        }

        if (ContentType is not null)
            context.Response.Headers.ContentType = ContentType;
        await context.Response.WriteAsync(Nonsense ?? JsonSerializer.Serialize(
            _tokens.GetValueOrDefault(form["token"].ToString()) ?? new Dictionary<string, object> { ["active"] = false }));
    }
}
