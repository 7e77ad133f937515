using Gateway.Hosting.Configuration;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Hosting;

public sealed class StartErrorTests
{
    private const string ManyErrors = """
        {
          // Comments and trailing commas are as welcome as in every ASP.NET Core application.
          "hosting": { "ShutdownTimeoutSeconds": "soon", "Drain": 1 },
          "Admin": { "Urls": "http://0.0.0.0:0", "ApiKey": "short" },
          "ReverseProxy": {
            "Routes": { "a": { "ClusterId": "missing", "OutputCachePolicy": "nope", "Match": { "Path": "/{a" } } },
          },
        }
        """;

    [Fact]
    public async Task Every_error_is_listed_at_once_with_file_path_and_fix()
    {
        var error = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayNode.StartAsync(ManyErrors));

        Assert.Contains("gateway.json: Hosting:ShutdownTimeoutSeconds: 'soon' is not a whole number. Write a whole number.", error.Errors);
        Assert.Contains(error.Errors, text => text.StartsWith("gateway.json: Hosting:Drain: there is no such key. Write one of: DrainSeconds", StringComparison.Ordinal));
        Assert.Contains(error.Errors, text => text.StartsWith("gateway.json: Admin:ApiKey: 'short' is not valid. Write at least 16", StringComparison.Ordinal));
        Assert.Contains(error.Errors, text => text.StartsWith("gateway.json: ReverseProxy:Routes:a:ClusterId: 'missing' is no cluster.", StringComparison.Ordinal));
        Assert.Contains(error.Errors, text => text.Contains("OutputCache policy 'nope' not found", StringComparison.Ordinal));
        Assert.Contains(error.Errors, text => text.Contains("Invalid path '/{a'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_is_not_JSON_is_named_with_line_and_column()
    {
        var error = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayNode.StartAsync("{\n  \"Hosting\": oops\n}"));

        Assert.StartsWith("gateway.json: line 2, column 14: this is not JSON.", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_config_file_is_an_error()
    {
        var error = await Assert.ThrowsAsync<InvalidConfigurationException>(
            () => GatewayNode.StartAsync(args: ["--config", "/nowhere/more.json"]));

        Assert.Contains("more.json: the file '/nowhere/more.json' does not exist", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_admin_listener_that_others_can_reach_demands_a_key()
    {
        var error = await Assert.ThrowsAsync<InvalidConfigurationException>(
            () => GatewayNode.StartAsync(args: ["--Admin:Urls=http://0.0.0.0:0"]));

        Assert.Contains("Admin:ApiKey: is absent, but 'http://0.0.0.0:0' can be reached from other machines.", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_process_ends_with_1_and_lists_the_errors_without_a_stack_trace()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, ManyErrors);
            using var process = GatewayProcess.Start("--config", path);
            var output = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();

            Assert.Equal(1, process.ExitCode);
            Assert.Contains("Hosting:ShutdownTimeoutSeconds: 'soon' is not a whole number.", output, StringComparison.Ordinal);
            Assert.Contains("ReverseProxy:Routes:a:ClusterId", output, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Asking_for_the_health_of_nothing_ends_with_1()
    {
        using var process = GatewayProcess.Start("--health", "http://127.0.0.1:1/healthz");
        await process.WaitForExitAsync();

        Assert.Equal(1, process.ExitCode);
    }
}
