using Gateway.Hosting;
using Gateway.Hosting.Configuration;

namespace Gateway.UnitTests.Hosting;

public sealed class GatewayCommandLineTests
{
    [Fact]
    public void Files_are_taken_in_their_order_and_the_rest_stays_settings()
    {
        var parsed = GatewayCommandLine.Parse(["--urls", "http://localhost:1", "--config", "a.json", "--config=b.json", "--Hosting:DrainSeconds=0"]);

        Assert.Equal(["a.json", "b.json"], parsed.ConfigFiles);
        Assert.Equal(["--urls", "http://localhost:1", "--Hosting:DrainSeconds=0"], parsed.Settings);
        Assert.Equal((null, null, false), (parsed.WriteSchema, parsed.Health, parsed.Help));
    }

    [Theory]
    [InlineData("--config")]
    [InlineData("--health")]
    [InlineData("--write-schema")]
    public void A_missing_value_is_a_configuration_error(string name) =>
        Assert.Contains(name, Assert.Throws<InvalidConfigurationException>(() => GatewayCommandLine.Parse([name])).Errors[0], StringComparison.Ordinal);
}
