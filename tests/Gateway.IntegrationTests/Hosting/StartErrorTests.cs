using System.Net;
using System.Net.Sockets;
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
        Assert.Contains(error.Errors, text => text.StartsWith("gateway.json: Admin:ApiKey: the value (a secret, not shown) is not valid. Write at least 16", StringComparison.Ordinal));
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

    [Theory]
    [InlineData("""{ "Admin": { "ApiKey": "hunter2" } }""")]
    [InlineData("""{ "Admin": "hunter2" }""")]
    [InlineData("""{ "Redis": "localhost,password=hunter2" }""")]
    [InlineData("""{ "Redis": { "Configuration": ",password=hunter2" } }""")]
    [InlineData("""{ "Redis": { "LockEndpoints": "localhost,password=hunter2" } }""")]
    [InlineData("""{ "OutputCache": { "Redis": ",password=hunter2" } }""")]
    [InlineData("""{ "Tokens": { "Schemes": { "a": { "Introspection": "hunter2" } } } }""")]
    [InlineData("""{ "Kestrel": { "Certificates": { "Default": { "Path": "/nowhere.pfx", "Password": "hunter2" } } } }""")]
    public async Task What_may_be_a_secret_is_never_shown(string config)
    {
        var error = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayNode.StartAsync(config));

        Assert.NotEmpty(error.Errors);
        Assert.DoesNotContain("hunter2", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "Admn": { "ApiKey": "0123456789abcdef" } }""", "Admn: there is no such key. Did you mean 'Admin'?")]
    [InlineData("""{ "OutputCaching": { } , "Nothing": 1 }""", "Nothing: there is no such key. Write one of: ")]
    [InlineData("""{ "AllowedHosts": [ "a.example" ] }""", "AllowedHosts: holds more keys where one value belongs.")]
    [InlineData("""{ "ReverseProxy": { "Route": { } , "Route2": 1 } }""", "ReverseProxy:Route2: there is no such key. Did you mean 'Routes'?")]
    public async Task A_key_that_nothing_reads_is_an_error(string config, string expected)
    {
        var error = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayNode.StartAsync(config));

        Assert.Contains(error.Errors, text => text.StartsWith($"gateway.json: {expected}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("AuthorisationPolicy", "mine", "AuthorisationPolicy: there is no such key. Did you mean 'AuthorizationPolicy'?")]
    [InlineData("RateLimitPolicy", "mine", "RateLimitPolicy: there is no such key. Did you mean 'RateLimiterPolicy'?")]
    [InlineData("AuthorizationPolicy", "", "AuthorizationPolicy: is empty.")]
    [InlineData("RateLimiterPolicy", "", "RateLimiterPolicy: is empty.")]
    [InlineData("OutputCachePolicy", "", "OutputCachePolicy: is empty.")]
    [InlineData("Order", "x", "Order: 'x' is not a whole number.")]
    public async Task A_route_whose_policy_would_not_apply_is_an_error(string key, string value, string expected)
    {
        await using var origin = await TestOrigin.StartAsync();

        var error = await Assert.ThrowsAsync<InvalidConfigurationException>(
            () => GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection((key, value)) }));

        Assert.StartsWith($"gateway.json: ReverseProxy:Routes:all:{expected}", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "Logging": { "LogLevel": { "Default": "Loud" } } }""", "Logging:LogLevel:Default: 'Loud' is not one of Trace")]
    [InlineData("""{ "Kestrel": { "Limits": { "MaxRequestBodySize": "big" } } }""", "Kestrel:Limits:MaxRequestBodySize: 'big' is not a whole number.")]
    [InlineData("""{ "Kestrel": { "Endpoints": { "a": { "Url": "127.0.0.1:0" } } } }""", "Kestrel:Endpoints:a:Url: '127.0.0.1:0' is no URL to listen on.")]
    [InlineData("""{ "Kestrel": { "Endpoints": { "a": { "Url": "http://127.0.0.1:0", "Protocols": "Http4" } } } }""", "Kestrel:Endpoints:a:Protocols: 'Http4' is unknown. Write one of None, Http1,")]
    [InlineData("""{ "Kestrel": { "Endpoints": { "a": { "Url": "https://127.0.0.1:0", "Certificate": { "Path": "/no.pfx" } } } } }""", "Kestrel:Endpoints:a:Certificate:Path: the file '/no.pfx' does not exist.")]
    public async Task What_the_framework_would_throw_at_or_overlook_is_an_error(string config, string expected)
    {
        var error = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayNode.StartAsync(config));

        Assert.StartsWith($"gateway.json: {expected}", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--urls", "--Admin:Urls")]
    [InlineData("--Admin:Urls", "--urls")]
    public async Task A_port_in_use_ends_the_process_with_1_and_says_which(string taken, string free)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var process = GatewayProcess.Start(taken, $"http://{listener.LocalEndpoint}", free, "http://127.0.0.1:0");
        // The log is read too: a full pipe would hold the process.
        var log = process.StandardOutput.ReadToEndAsync();
        var output = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        await log;

        Assert.Equal(1, process.ExitCode);
        Assert.StartsWith($"The gateway does not start: Failed to bind to address http://{listener.LocalEndpoint}: address already in use.", output, StringComparison.Ordinal);
        Assert.Single(output.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("https://127.0.0.1:0", "Unable to configure HTTPS endpoint.", "write Kestrel:Certificates:Default:Path")]
    [InlineData("http://192.0.2.1:1", "http://192.0.2.1:1", "Write addresses of this machine")]
    public async Task A_listener_that_cannot_be_opened_ends_the_process_with_1_and_one_line(string url, string problem, string fix)
    {
        var noCertificate = new Dictionary<string, string> { ["HOME"] = "/nowhere", ["DOTNET_CLI_HOME"] = "/nowhere" };
        using var process = GatewayProcess.Start(["--urls", url, "--Admin:Urls", "http://127.0.0.1:0"], noCertificate);
        var log = process.StandardOutput.ReadToEndAsync();
        var output = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        await log;

        Assert.Equal(1, process.ExitCode);
        Assert.StartsWith("The gateway does not start: ", Assert.Single(output.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Contains(problem, output, StringComparison.Ordinal);
        Assert.Contains(fix, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_that_YARP_and_the_framework_read_is_a_known_key()
    {
        await using var node = await GatewayNode.StartAsync("""
            {
              "$schema": "x.json", "_note": "of whoever wrote it", "AllowedHosts": "*", "ConnectionStrings": { "a": "b" }, "DetailedErrors": true, "OTEL_SERVICE_NAME": "shop",
              "Logging": { "LogLevel": { "Default": "warning", "Yarp": null }, "Console": { "FormatterName": "simple", "LogLevel": { "Yarp": "Debug" } } },
              "Kestrel": { "Limits": { "MaxRequestBodySize": 1000 }, "EndpointDefaults": { "Protocols": "Http1AndHttp2" } },
              "ReverseProxy": {
                "Routes": {
                  "all": {
                    "ClusterId": "c", "Order": 1, "MaxRequestBodySize": -1, "AuthorizationPolicy": "anonymous", "CorsPolicy": "disable",
                    "OutputCachePolicy": "origin", "RateLimiterPolicy": null, "Timeout": "00:01:00", "Metadata": { "any": "thing" },
                    "Match": {
                      "Path": "/{**any}", "Hosts": [ "localhost" ], "Methods": [ "GET" ],
                      "Headers": [ { "Name": "a", "Values": [ "b" ], "Mode": "HeaderPrefix", "IsCaseSensitive": true } ],
                      "QueryParameters": [ { "Name": "a", "Values": [ "b" ], "Mode": "Contains" } ]
                    },
                    "Transforms": [ { "PathPrefix": "/x" }, { "X-Forwarded": "Append", "HeaderPrefix": "X-" } ]
                  }
                },
                "Clusters": {
                  "c": {
                    "LoadBalancingPolicy": "RoundRobin", "Metadata": { "any": "thing" },
                    "SessionAffinity": {
                      "Enabled": true, "Policy": "Cookie", "FailurePolicy": "Redistribute", "AffinityKeyName": "k",
                      "Cookie": { "Domain": "localhost", "Expiration": "03:00:00", "HttpOnly": true, "IsEssential": true, "MaxAge": "1.00:00:00", "Path": "/", "SameSite": "Strict", "SecurePolicy": "Always" }
                    },
                    "HealthCheck": {
                      "AvailableDestinationsPolicy": "HealthyOrPanic",
                      "Active": { "Enabled": "false", "Interval": "00:00:10", "Timeout": "00:00:10", "Policy": "ConsecutiveFailures", "Path": "/h", "Query": "?a" },
                      "Passive": { "Enabled": true, "Policy": "TransportFailureRate", "ReactivationPeriod": "00:10:00" }
                    },
                    "HttpClient": {
                      "SslProtocols": [ "Tls12", "Tls13" ], "DangerousAcceptAnyServerCertificate": true, "MaxConnectionsPerServer": 10,
                      "EnableMultipleHttp2Connections": true, "RequestHeaderEncoding": "Latin1", "ResponseHeaderEncoding": "Latin1",
                      "WebProxy": { "Address": "http://localhost:1", "BypassOnLocal": true, "UseDefaultCredentials": false }
                    },
                    "HttpRequest": { "ActivityTimeout": "00:02:00", "Version": "2", "VersionPolicy": "RequestVersionOrLower", "AllowResponseBuffering": false },
                    "Destinations": { "d": { "Address": "http://localhost:1", "Health": "http://localhost:2", "Host": "h", "Metadata": { "any": "thing" } } }
                  }
                }
              }
            }
            """);

        Assert.Empty(node.Log.Exceptions);
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
