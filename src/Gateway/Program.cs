using Gateway.Admin;
using Gateway.ChangeLog;
using Gateway.Hosting;
using Gateway.Hosting.Configuration;
using Gateway.Redis;

namespace Gateway;

/// <summary>The gateway as a process.</summary>
public sealed class Program
{
    private Program()
    {
    }

    /// <summary>Runs until a signal ends it. Returns 0, or 1 when the configuration is wrong.</summary>
    public static async Task<int> Main(string[] args)
    {
        try
        {
            if (await Commands.TryRunAsync(GatewayCommandLine.Parse(args)) is { } exitCode)
                return exitCode;
            await using var app = Build(args);
            await app.Services.GetRequiredService<ConfigurationReloader>().AcceptInitialAsync(CancellationToken.None);
            await app.RunAsync();
            return 0;
        }
        catch (InvalidConfigurationException e)
        {
            await Console.Error.WriteLineAsync($"The configuration is wrong, the gateway does not start. {e.Errors.Count} errors:");
            foreach (var error in e.Errors)
                await Console.Error.WriteLineAsync($"  {error}");
            return 1;
        }
    }

    /// <summary>Builds a gateway that is not started yet; several can live in one process.</summary>
    /// <param name="args">The command line; <c>--help</c> explains it.</param>
    /// <param name="configure">Changes to the services, applied last.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = nameof(Gateway), ContentRootPath = AppContext.BaseDirectory });
        builder.AddGatewayConfiguration(GatewayCommandLine.Parse(args).ToSources(AppContext.BaseDirectory));
        builder.AddGatewayHosting();
        builder.Services.AddAdmin();
        builder.Services.AddGatewayRedis();
        builder.Services.AddChangeLog();
        builder.Services.AddGatewayProxy();
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseGatewayPipeline();
        return app;
    }
}
