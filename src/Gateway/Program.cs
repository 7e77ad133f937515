using Gateway.Admin;
using Gateway.Caching;
using Gateway.ChangeLog;
using Gateway.Hosting;
using Gateway.Hosting.Configuration;
using Gateway.Hosting.EventLoop;
using Gateway.RateLimiting;
using Gateway.Redis;
using Gateway.Sessions;
using Gateway.ShortLinks;
using Gateway.Tokens;
using Microsoft.Extensions.Options;

namespace Gateway;

/// <summary>The gateway as a process.</summary>
public sealed class Program
{
    private Program()
    {
    }

    /// <summary>Runs until a signal ends it. Returns 0, or 1 when the configuration is wrong or a listener cannot be opened.</summary>
    public static async Task<int> Main(string[] args)
    {
        try
        {
            if (await Commands.TryRunAsync(GatewayCommandLine.Parse(args)) is { } exitCode)
                return exitCode;
            await using var app = await BuildAsync(args, SocketThreads.Configure);
            if (await StartAsync(app) is { } problem)
            {
                await Console.Error.WriteLineAsync($"The gateway does not start: {problem}");
                return 1;
            }

            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (InvalidConfigurationException e)
        {
            return await RefuseAsync(e.Errors);
        }
        catch (OptionsValidationException e)
        {
            // A section that is read before the whole is checked.
            return await RefuseAsync([.. e.Failures]);
        }
    }

    private static async Task<string?> StartAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
            return null;
        }
        catch (Exception e) when (StartProblem.Explain(e, app.Services.GetRequiredService<GatewayAddresses>()) is { } problem)
        {
            return problem;
        }
    }

    private static async Task<int> RefuseAsync(IReadOnlyList<string> errors)
    {
        await Console.Error.WriteLineAsync($"The configuration is wrong, the gateway does not start. Errors: {errors.Count}");
        foreach (var error in errors)
            await Console.Error.WriteLineAsync($"  {error}");
        return 1;
    }

    /// <summary>Builds a gateway that is not started yet; several can live in one process.</summary>
    /// <param name="args">The command line; <c>--help</c> explains it.</param>
    /// <param name="configure">Changes to the services, applied last.</param>
    public static async Task<WebApplication> BuildAsync(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = nameof(Gateway), ContentRootPath = AppContext.BaseDirectory });
        var configuration = builder.AddGatewayConfiguration(GatewayCommandLine.Parse(args).ToSources(AppContext.BaseDirectory));
        builder.AddGatewayHosting();
        builder.Services.AddAdmin();
        builder.Services.AddEmbeddedRedis();
        builder.Services.AddGatewayRedis();
        builder.Services.AddChangeLog();
        builder.Services.AddGatewayTokens();
        builder.Services.AddGatewayRateLimiting();
        builder.Services.AddHttpCache();
        builder.Services.AddShortLinks();
        builder.Services.AddGatewaySessions(builder.Configuration);
        builder.Services.AddGatewayProxy();
        configure?.Invoke(builder);

        await StartupCheck.RunAsync(builder.Services, configuration);
        var app = builder.Build();
        app.UseGatewayPipeline();
        return app;
    }
}
