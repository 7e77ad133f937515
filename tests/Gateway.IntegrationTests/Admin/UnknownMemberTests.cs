using System.Net;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.IntegrationTests.ShortLinks;

namespace Gateway.IntegrationTests.Admin;

/// <summary>A member that is misspelt would ask for more than was meant: a key without end, a revocation in all schemes.</summary>
public sealed class UnknownMemberTests : IAsyncLifetime
{
    private GatewayNode _node = null!;

    public async Task InitializeAsync() => _node = await LinkTestNode.StartAsync(null);

    public async Task DisposeAsync() => await _node.DisposeAsync();

    [Theory]
    [InlineData("/api-keys", """{"owner":"acme","expire":"2099-01-01T00:00:00Z"}""", "expire")]
    [InlineData("/api-keys/k/rotate", """{"overlap":0}""", "overlap")]
    [InlineData("/tokens/revoke", """{"subject":"alice","shceme":"storefront"}""", "shceme")]
    [InlineData("/rate-limits/lists", """{"list":"deny","second":60}""", "second")]
    [InlineData("/rate-limits/counters", """{"polcy":"a"}""", "polcy")]
    [InlineData("/rate-limits/reset", """{"policy":"a","identities":{}}""", "identities")]
    [InlineData("/sessions/drain", """{"cluster":"cart","destinaton":"a"}""", "destinaton")]
    [InlineData("/cache/purge", """{"tag":"a","sfot":true}""", "sfot")]
    [InlineData("/cache/explain", """{"url":"http://shop.example/","field":{}}""", "field")]
    [InlineData("/links", """{"target":"https://shop.example/","expires":"2099-01-01T00:00:00Z"}""", "expires")]
    [InlineData("/links", """{"target":"https://shop.example/","ta\nget":"x"}""", "ta\\nget")]
    public async Task A_member_that_does_not_exist_is_refused_by_its_name(string path, string body, string member)
    {
        var (status, detail) = await PostAsync(path, body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(member, detail, StringComparison.Ordinal);
        Assert.DoesNotContain("Gateway.", detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api-keys", """{"owner":"acme","expires":"2099-01-01T00:00:00Z","expires":null}""", "expires")]
    [InlineData("/tokens/revoke", """{"scheme":"storefront","subject":"alice","Scheme":null}""", "scheme")]
    [InlineData("/rate-limits/reset", """{"policy":"a","identity":{"ClientIp":"192.0.2.1","ClientIp":"192.0.2.2"}}""", "ClientIp")]
    [InlineData("/links", """{"target":"https://shop.example/","target":"https://shop.example/2"}""", "target")]
    public async Task A_member_that_is_written_twice_is_refused_by_its_name(string path, string body, string member)
    {
        var (status, detail) = await PostAsync(path, body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(member, detail, StringComparison.OrdinalIgnoreCase);
    }

    private async Task<(HttpStatusCode Status, string Detail)> PostAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _node.Admin.PostAsync(path, content);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
