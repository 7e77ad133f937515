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

    [Theory]
    [InlineData("--cofig", "command line: --cofig: there is no such option. Did you mean '--config'?")]
    [InlineData("--cofig=a.json", "command line: --cofig: there is no such option. Did you mean '--config'?")]
    [InlineData("--verbose", "command line: --verbose: there is no such option. Write")]
    public void An_option_that_nothing_reads_is_a_configuration_error(string option, string expected) => Assert.StartsWith(
        expected, Assert.Throws<InvalidConfigurationException>(() => GatewayCommandLine.Parse([option, "a.json"])).Errors[0], StringComparison.Ordinal);

    [Fact]
    public void Configuration_keys_and_what_the_host_reads_are_options() =>
        Assert.Equal(9, GatewayCommandLine.Parse(["--environment", "Test", "--Redis:KeyPrefix", "--odd", "--AllowedHosts=a", "/a:b=c", "a=b", "--OTEL_SERVICE_NAME", "shop"]).Settings.Length);
}
