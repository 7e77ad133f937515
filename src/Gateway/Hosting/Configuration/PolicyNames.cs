using System.Threading.RateLimiting;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting.Configuration;

/// <summary>
/// Makes the policy names of a candidate known to the framework's options before YARP's validator looks routes'
/// policies up there. Names are only ever added: a route of the running configuration may still use an old one.
/// </summary>
/// <param name="Names">The names that a configuration defines.</param>
/// <param name="Register">Adds a name; called once for each.</param>
internal sealed record PolicyNameRegistration(
    Func<IConfiguration, IEnumerable<string>> Names, Action<IServiceProvider, string> Register);

/// <summary>All <see cref="PolicyNameRegistration"/>s, and which names they have added.</summary>
internal sealed class PolicyNames(IEnumerable<PolicyNameRegistration> registrations, IServiceProvider services)
{
    private readonly List<(PolicyNameRegistration Registration, HashSet<string> Known)> _all =
        [.. registrations.Select(registration => (registration, new HashSet<string>(StringComparer.OrdinalIgnoreCase)))];

    /// <summary>Adds the names that are new in <paramref name="configuration"/>. One caller at a time.</summary>
    public void Add(IConfiguration configuration)
    {
        foreach (var (registration, known) in _all)
        {
            foreach (var name in registration.Names(configuration).Where(known.Add))
                registration.Register(services, name);
        }
    }
}

internal static class PolicyNamesExtensions
{
    /// <summary>The cache policy that exists without configuration: it follows the origin's fields and RFC 9111.</summary>
    private const string OriginPolicy = "origin";

    /// <summary>Lets YARP's validator know the names of cache and rate limit policies.</summary>
    public static IServiceCollection AddPolicyNames(this IServiceCollection services)
    {
        services.AddSingleton<PolicyNames>();

        // YARP's validator takes hold of the table of names once, and finds none if no policy exists by then.
        services.Configure<OutputCacheOptions>(options => AddCachePolicy(options, OriginPolicy));
        services.AddSingleton(new PolicyNameRegistration(
            configuration => ChildKeys(configuration, "OutputCache:Policies")
                .Where(name => !name.Equals(OriginPolicy, StringComparison.OrdinalIgnoreCase)),
            (provider, name) => AddCachePolicy(provider.GetRequiredService<IOptions<OutputCacheOptions>>().Value, name)));
        services.AddSingleton(new PolicyNameRegistration(
            configuration => ChildKeys(configuration, "RateLimiter:Policies"),
            (provider, name) => provider.GetRequiredService<IOptions<RateLimiterOptions>>().Value
                .AddPolicy(name, _ => RateLimitPartition.GetNoLimiter(string.Empty))));
        return services;
    }

    private static void AddCachePolicy(OutputCacheOptions options, string name) =>
        options.AddPolicy(name, policy => policy.NoCache(), excludeDefaultPolicy: true);

    private static IEnumerable<string> ChildKeys(IConfiguration configuration, string path) =>
        configuration.GetSection(path).GetChildren().Select(child => child.Key);
}
