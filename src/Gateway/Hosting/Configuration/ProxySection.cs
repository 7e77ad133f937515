using Microsoft.Extensions.Logging.Abstractions;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Hosting.Configuration;

/// <summary>YARP's section of a candidate: parsed by YARP's own parser, checked by YARP's own validator.</summary>
internal sealed class ProxySection(IConfigValidator validator)
{
    public const string SectionName = "ReverseProxy";

    /// <summary>Parses and checks the section; what is wrong goes to <paramref name="errors"/>.</summary>
    /// <returns>The very objects that were checked, or null when they could not be read.</returns>
    public async Task<IProxyConfig?> ReadAsync(IConfiguration candidate, ICollection<string> errors)
    {
        var config = Parse(candidate.GetSection(SectionName), errors);
        if (config is null)
            return null;

        foreach (var cluster in config.Clusters)
        {
            var path = $"{SectionName}:Clusters:{cluster.ClusterId}";
            foreach (var error in await validator.ValidateClusterAsync(cluster))
                errors.Add($"{path}: {error.Message}");
        }

        var clusters = config.Clusters.Select(cluster => cluster.ClusterId).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var route in config.Routes)
        {
            var path = $"{SectionName}:Routes:{route.RouteId}";
            foreach (var error in await validator.ValidateRouteAsync(route))
                errors.Add($"{path}: {error.Message}");
            if (route.ClusterId is not { } id || !clusters.Contains(id))
                errors.Add($"{path}:ClusterId: '{route.ClusterId}' is no cluster. Write one of: {Names(clusters)}.");
        }

        return config;
    }

    // YARP's parser is reachable through LoadFromConfig only. A provider of its own per candidate also keeps it from
    // listening to changes, which come through AcceptedConfiguration alone.
    private static IProxyConfig? Parse(IConfigurationSection section, ICollection<string> errors)
    {
        var services = new ServiceCollection();
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddReverseProxy().LoadFromConfig(section);
        using var provider = services.BuildServiceProvider();
        try
        {
            return provider.GetRequiredService<IProxyConfigProvider>().GetConfig();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            errors.Add($"{SectionName}: a value has the wrong type: {e.Message} See the YARP documentation for this key.");
            return null;
        }
    }

    private static string Names(HashSet<string> clusters) =>
        clusters.Count == 0 ? "(no cluster is configured)" : string.Join(", ", clusters.Order(StringComparer.Ordinal).Take(20));
}
