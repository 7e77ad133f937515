using Microsoft.Extensions.Logging.Abstractions;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Hosting.Configuration;

/// <summary>YARP's section of a candidate: parsed by YARP's own parser, checked by YARP's own validator.</summary>
internal sealed class ProxySection(IConfigValidator validator, PolicyNames policyNames)
{
    public const string SectionName = "ReverseProxy";

    private const string Routes = nameof(Routes);
    private const string Clusters = nameof(Clusters);

    /// <summary>Parses and checks the section; what is wrong goes to <paramref name="errors"/>.</summary>
    /// <returns>The very objects that were checked, or null when they could not be read.</returns>
    public async Task<IProxyConfig?> ReadAsync(IConfiguration candidate, ICollection<string> errors)
    {
        var section = candidate.GetSection(SectionName);
        CheckShape(section, errors);
        policyNames.Check(candidate, section.GetSection(Routes), errors);
        var config = Parse(section, errors);
        if (config is null)
            return null;

        foreach (var cluster in config.Clusters)
        {
            var path = $"{SectionName}:{Clusters}:{cluster.ClusterId}";
            foreach (var error in await validator.ValidateClusterAsync(cluster))
                errors.Add($"{path}: {error.Message}");
        }

        var clusters = config.Clusters.Select(cluster => cluster.ClusterId).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var route in config.Routes)
        {
            var path = $"{SectionName}:{Routes}:{route.RouteId}";
            foreach (var error in await validator.ValidateRouteAsync(route))
                errors.Add($"{path}: {error.Message}");
            if (route.ClusterId is not { } id || !clusters.Contains(id))
                errors.Add($"{path}:ClusterId: '{route.ClusterId}' is no cluster. Write one of: {Names(clusters)}.");
        }

        return config;
    }

    // YARP's parser overlooks the keys that it does not know, and stops at the first value of a wrong type.
    private static void CheckShape(IConfigurationSection section, ICollection<string> errors)
    {
        SectionShape.CheckKeys(section, [Routes, Clusters], errors);
        SectionShape.Check(section.GetSection(Routes), typeof(IReadOnlyDictionary<string, RouteConfig>), errors);
        SectionShape.Check(section.GetSection(Clusters), typeof(IReadOnlyDictionary<string, ClusterConfig>), errors);
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
            // Of a value whose error is listed already, the parser would tell less.
            if (!errors.Any(error => error.StartsWith(SectionName, StringComparison.OrdinalIgnoreCase)))
                errors.Add($"{SectionName}: a value has the wrong type: {e.Message} See the YARP documentation for this key.");
            return null;
        }
    }

    private static string Names(HashSet<string> clusters) =>
        clusters.Count == 0 ? "(no cluster is configured)" : string.Join(", ", clusters.Order(StringComparer.Ordinal).Take(20));
}
