using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Hosting;

public sealed class ListenerTests
{
    [Fact]
    public async Task A_route_from_the_configuration_file_is_forwarded()
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/hello", "hello", ("X-Origin", "yes"));
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection() });

        using var response = await node.Public.GetAsync("/hello");

        Assert.Equal("hello", await response.Content.ReadAsStringAsync());
        Assert.Equal("yes", response.Headers.GetValues("X-Origin").Single());
        Assert.Empty(response.Headers.Server);
        Assert.Empty(node.Log.Exceptions);
    }

    [Theory]
    [InlineData("/config")]
    [InlineData("/metrics")]
    public async Task Admin_endpoints_answer_on_the_admin_listener_only(string path)
    {
        await using var node = await GatewayNode.StartAsync();

        using var admin = await node.Admin.GetAsync(path);
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = node.AdminAddress.Authority } };
        using var forged = await node.Public.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, admin.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, forged.StatusCode);
        Assert.Equal("application/problem+json", forged.Content.Headers.ContentType?.MediaType);
    }
}
