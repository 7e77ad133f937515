using Gateway.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Redis;

internal static class RedisExtensions
{
    /// <summary>Adds a server in this process, which runs while <c>Redis:Configuration</c> is absent. Before anything that connects.</summary>
    public static IServiceCollection AddEmbeddedRedis(this IServiceCollection services)
    {
        services.AddSingleton<IValidateOptions<RedisOptions>, EmbeddedRedisValidator>();
        services.AddSingleton<EmbeddedRedisServer>();
        return services.AddHostedService(provider => provider.GetRequiredService<EmbeddedRedisServer>());
    }

    /// <summary>
    /// Adds the <see cref="RedisConnection"/> for shared state and its keys. With neither <c>Redis:Configuration</c> nor an
    /// embedded server there is nothing to connect to, and the process is a node alone.
    /// </summary>
    public static IServiceCollection AddGatewayRedis(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(RedisKeys)))
            return services;

        services.AddValidatedSection<RedisOptions, RedisOptionsValidator>(RedisOptions.SectionName);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<RedisKeys>();
        services.AddSingleton<RedisMetrics>();
        services.AddSingleton<RedisClock>();

        services.AddSingleton(provider => CreateConnection(provider, "state", configuration: null));
        services.AddSingleton<IHostedService>(provider => new ConnectionStartup(provider.GetRequiredService<RedisConnection>()));
        return services;
    }

    /// <summary>Adds a further connection, found by its name as key.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">What the connection is for.</param>
    /// <param name="configuration">Its connection string; null means the server of the shared state.</param>
    public static IServiceCollection AddRedisConnection(
        this IServiceCollection services, string name, Func<IServiceProvider, string?> configuration)
    {
        services.AddKeyedSingleton(name, (provider, _) => CreateConnection(provider, name, configuration(provider)));
        services.AddSingleton<IHostedService>(provider => new ConnectionStartup(provider.GetRequiredKeyedService<RedisConnection>(name)));
        return services;
    }

    private static RedisConnection CreateConnection(IServiceProvider provider, string name, string? configuration)
    {
        var options = provider.GetRequiredService<IOptions<RedisOptions>>().Value;
        configuration ??= options.Configuration
            ?? (provider.GetService<EmbeddedRedisServer>() is { } embedded ? $"127.0.0.1:{embedded.Port}" : null);
        return new RedisConnection(
            name,
            configuration is null ? null : ConfigurationOptions.Parse(configuration),
            options.Deadline,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<RedisMetrics>(),
            provider.GetRequiredService<ILogger<RedisConnection>>());
    }

    private sealed class ConnectionStartup(RedisConnection connection) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => connection.StartAsync(cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
