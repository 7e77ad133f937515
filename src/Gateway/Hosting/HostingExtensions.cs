using System.Net;
using System.Text;
using Gateway.Admin;
using Gateway.Hosting.Configuration;
using Gateway.Hosting.EventLoop;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Hosting;

internal static class HostingExtensions
{
    /// <summary>Makes the accepted configuration the host's only one, and adds its checks and its reload.</summary>
    public static ConfigurationCandidate AddGatewayConfiguration(this WebApplicationBuilder builder, ConfigurationSources sources)
    {
        var candidate = sources.Load(sources.ReadFiles());
        if (candidate.SourceErrors.Count > 0)
            throw new InvalidConfigurationException(candidate.SourceErrors);

        var accepted = new AcceptedConfiguration(candidate);
        builder.Configuration.Sources.Clear();
        builder.Configuration.Sources.Add(accepted);

        builder.Services.AddSingleton(sources);
        builder.Services.AddSingleton(accepted);
        builder.Services.AddSingleton<CandidateValidator>();
        builder.Services.AddSingleton<ProxySection>();
        builder.Services.AddSingleton<PolicyNames>();
        builder.Services.AddSingleton<ProxyConfigApplied>();
        builder.Services.AddSingleton<IConfigChangeListener>(services => services.GetRequiredService<ProxyConfigApplied>());
        builder.Services.AddSingleton<ConfigurationReloader>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ConfigurationReloader>());
        return candidate;
    }

    /// <summary>Adds the web server with its two listeners, health, drain, telemetry and what guards every request.</summary>
    public static void AddGatewayHosting(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<HostingMetrics>();
        services.AddValidatedSection<HostingOptions, HostingOptionsValidator>(HostingOptions.SectionName);
        services.AddValidatedSection<TrustedProxiesOptions, TrustedProxiesOptionsValidator>(TrustedProxiesOptions.SectionName);
        services.AddValidatedSection<TelemetryOptions, TelemetryOptionsValidator>(TelemetryOptions.SectionName);

        services.AddLogging(logging => logging
            .AddConfiguration(builder.Configuration.GetSection("Logging"))
            .AddSimpleConsole(console => console.SingleLine = true));
        builder.AddTelemetry(builder.Configuration);

        services.AddProblemDetails();
        // Bodies and parameters that do not bind reach ProblemMiddleware instead of ending as empty answers.
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.AddRouting();
        services.AddSingleton<MatcherPolicy, HealthYieldsToRoutes>();
        services.AddRequestTimeouts();
        services.AddAuthentication();
        services.AddAuthorization();
        services.AddHostFiltering(_ => { });
        services.AddOptions<HostFilteringOptions>().Configure<IConfiguration>(FilterHosts);
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<TrustedProxiesOptions>>(TrustProxies);
        services.AddSingleton<IOptionsChangeTokenSource<HostFilteringOptions>>(
            new ConfigurationChangeTokenSource<HostFilteringOptions>(builder.Configuration));

        services.AddSingleton<GatewayAddresses>();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        services.Configure<KestrelServerOptions>(builder.Configuration.GetSection("Kestrel"));
        services.AddOptions<KestrelServerOptions>()
            .Configure<AcceptedConfiguration, IOptions<AdminOptions>, GatewayAddresses>((kestrel, configuration, admin, addresses) =>
            {
                Listeners.ConfigureProtocol(kestrel);
                Listeners.Configure(kestrel, configuration.Candidate, admin.Value, addresses);
            });

        services.AddSingleton<Draining>();
        services.AddHostedService(provider => provider.GetRequiredService<Draining>());
        services.AddOptions<HostOptions>().Configure<IOptions<HostingOptions>>((host, options) =>
            host.ShutdownTimeout = TimeSpan.FromSeconds(options.Value.DrainSeconds + options.Value.ShutdownTimeoutSeconds));
    }

    /// <summary>Adds YARP, fed by the accepted configuration, reading fields as Kestrel does here.</summary>
    public static void AddGatewayProxy(this IServiceCollection services)
    {
        var config = new InMemoryConfigProvider([], []);
        services.AddSingleton(config);
        services.AddSingleton<IProxyConfigProvider>(config);
        services.AddSingleton<ITransformProvider, ResponseGuard>();
        services.AddReverseProxy().ConfigureHttpClient((context, handler) =>
        {
            // As in Listeners.ConfigureProtocol; a cluster's HttpClient:RequestHeaderEncoding still wins.
            if (context.NewConfig.RequestHeaderEncoding is null)
                handler.RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1;
            if (context.NewConfig.ResponseHeaderEncoding is null)
                handler.ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1;
            SocketThreads.ShareTurns(handler);
        });
    }

    private static void FilterHosts(HostFilteringOptions options, IConfiguration configuration)
    {
        var hosts = Listeners.Split(configuration["AllowedHosts"] ?? string.Empty);
        options.AllowedHosts = hosts.Length > 0 ? hosts : ["*"];
        options.IncludeFailureMessage = false;
    }

    private static void TrustProxies(ForwardedHeadersOptions headers, IOptions<TrustedProxiesOptions> trusted)
    {
        headers.KnownProxies.Clear();
        headers.KnownIPNetworks.Clear();
        foreach (var proxy in trusted.Value.KnownProxies)
            headers.KnownProxies.Add(IPAddress.Parse(proxy));
        foreach (var network in trusted.Value.KnownNetworks)
            headers.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(network));

        // With both lists empty the framework would believe everyone.
        var anyone = headers.KnownProxies.Count + headers.KnownIPNetworks.Count > 0;
        headers.ForwardedHeaders = anyone ? ForwardedHeaders.All & ~ForwardedHeaders.XForwardedPrefix : ForwardedHeaders.None;
        headers.ForwardLimit = trusted.Value.ForwardLimit;
    }
}
