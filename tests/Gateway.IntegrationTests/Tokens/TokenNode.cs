using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Builder;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>Gateways in front of one origin: every path demands a token of the scheme <c>shop</c> and may be cached.</summary>
internal static class TokenNode
{
    public static Task<GatewayNode> StartAsync(
        TestOrigin origin, TestIssuer issuer, RedisServer redis, Action<Dictionary<string, object>>? scheme = null, Action<WebApplicationBuilder>? configure = null) =>
        GatewayNode.StartAsync(Config(origin, issuer, scheme), redis.ConnectionString, configure: configure);

    public static object Config(TestOrigin origin, TestIssuer issuer, Action<Dictionary<string, object>>? scheme = null)
    {
        var shop = new Dictionary<string, object>
        {
            ["Issuer"] = TestIssuer.Issuer,
            ["Audience"] = TestIssuer.Audience,
            ["JwksUri"] = issuer.JwksUri,
            ["Forward"] = new[] { new { Claim = "sub", Field = "X-Auth-Subject" } },
        };
        scheme?.Invoke(shop);
        return new
        {
            ReverseProxy = origin.ProxySection(("AuthorizationPolicy", "shop"), ("OutputCachePolicy", "origin")),
            Tokens = new { Schemes = new { shop } },
        };
    }

    public static async Task<HttpResponseMessage> GetAsync(this GatewayNode node, string path, string? token, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (token is not null)
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        foreach (var (name, value) in fields)
            request.Headers.TryAddWithoutValidation(name, value);
        return await node.Public.SendAsync(request);
    }

    public static async Task<int> StatusAsync(this GatewayNode node, string? token, string path = "/page")
    {
        using var response = await node.GetAsync(path, token);
        return (int)response.StatusCode;
    }

    /// <summary>Revokes, and asks again where Redis missed its deadline, as it may on a busy machine.</summary>
    public static async Task<HttpResponseMessage> RevokeAsync(this GatewayNode node, object what, bool wait = false)
    {
        for (var left = 2; ; left--)
        {
            var answer = await node.Admin.PostAsJsonAsync($"/tokens/revoke{(wait ? "?wait=true" : "")}", what);
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable || left == 0)
                return answer;
            answer.Dispose();
        }
    }

    public static string Challenge(this HttpResponseMessage response) => string.Join(", ", response.Headers.WwwAuthenticate.Select(Text));

    private static string Text(AuthenticationHeaderValue challenge) => $"{challenge.Scheme} {challenge.Parameter}";
}
