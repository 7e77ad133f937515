using Gateway.Hosting;
using Gateway.Hosting.Configuration;

namespace Gateway.UnitTests.Hosting;

public sealed class ListenersTests
{
    [Theory]
    [InlineData("http://localhost:8081", true)]
    [InlineData("http://LOCALHOST:8081", true)]
    [InlineData("https://127.0.0.1:8081", true)]
    [InlineData("http://127.9.9.9:8081", true)]
    [InlineData("http://[::1]:8081", true)]
    [InlineData("http://unix:/run/gateway.sock", true)]
    [InlineData("http://0.0.0.0:8081", false)]
    [InlineData("http://[::]:8081", false)]
    [InlineData("http://*:8081", false)]
    [InlineData("http://+:8081", false)]
    [InlineData("http://localhost.example.org:8081", false)]
    [InlineData("http://10.0.0.1:8081", false)]
    public void Only_loopback_counts_as_local(string url, bool local) => Assert.Equal(local, Listeners.IsLocal(url));

    [Theory]
    [InlineData(new[] { "--urls=http://a:1;http://b:2" }, new[] { "http://a:1", "http://b:2" })]
    [InlineData(new[] { "--HTTP_PORTS=8080;9090" }, new[] { "http://*:8080", "http://*:9090" })]
    [InlineData(new[] { "--urls=http://a:1", "--HTTP_PORTS=8080" }, new[] { "http://a:1" })]
    [InlineData(new string[0], new[] { Listeners.DefaultPublicUrl })]
    public void The_public_listener_is_where_the_configuration_says(string[] settings, string[] expected) =>
        Assert.Equal(expected, Listeners.PublicUrls(new ConfigurationSources([], settings).Load([])));
}
