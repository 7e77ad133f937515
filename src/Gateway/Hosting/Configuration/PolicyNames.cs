using Yarp.ReverseProxy.Configuration;

namespace Gateway.Hosting.Configuration;

/// <summary>
/// Makes the policy names of a candidate known to the framework's options before YARP's validator looks routes'
/// policies up there: each feature whose policies routes name has one. Names are only ever added: a route of the running
/// configuration may still use an old one.
/// </summary>
/// <param name="Names">The names that a configuration defines.</param>
/// <param name="Register">Adds a name; called once for each.</param>
/// <param name="RouteKey">The key by which routes name them, such as <see cref="RouteConfig.OutputCachePolicy"/>.</param>
/// <param name="BuiltIn">A name that is there without any configuration.</param>
internal sealed record PolicyNameRegistration(
    Func<IConfiguration, IEnumerable<string>> Names, Action<IServiceProvider, string> Register, string RouteKey, string? BuiltIn = null)
{
    /// <param name="section">The section whose keys are the names, such as <c>OutputCache:Policies</c>.</param>
    /// <param name="register">Adds a name; called once for each.</param>
    /// <param name="routeKey">The key by which routes name them.</param>
    /// <param name="builtIn">A name that is there without any configuration.</param>
    public static PolicyNameRegistration OfKeys(
        string section, Action<IServiceProvider, string> register, string routeKey, string? builtIn = null) =>
        new(configuration => configuration.GetSection(section).GetChildren().Select(child => child.Key), register, routeKey, builtIn);
}

/// <summary>All <see cref="PolicyNameRegistration"/>s, and which names they have added.</summary>
internal sealed class PolicyNames(IEnumerable<PolicyNameRegistration> registrations, IServiceProvider services)
{
    // YARP takes an empty name for none at all: the route would be open.
    private static readonly string[] RouteKeys =
    [
        nameof(RouteConfig.AuthorizationPolicy), nameof(RouteConfig.RateLimiterPolicy), nameof(RouteConfig.OutputCachePolicy),
        nameof(RouteConfig.CorsPolicy), nameof(RouteConfig.TimeoutPolicy),
    ];

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

    /// <summary>Finds what YARP's validator lets pass: empty names, and names that only an earlier configuration defined.</summary>
    /// <param name="configuration">The candidate, whose names were added.</param>
    /// <param name="routes">Its section with the routes.</param>
    /// <param name="errors">Receives what was found.</param>
    public void Check(IConfiguration configuration, IConfigurationSection routes, ICollection<string> errors)
    {
        foreach (var route in routes.GetChildren())
        {
            foreach (var key in RouteKeys.Where(key => route[key] is { Length: 0 }))
                errors.Add($"{route.Path}:{key}: is empty. Write the name of a policy, or remove the key.");
        }

        foreach (var (registration, known) in _all)
        {
            var defined = registration.Names(configuration).Append(registration.BuiltIn).ToHashSet(StringComparer.OrdinalIgnoreCase);
            foreach (var route in routes.GetChildren())
            {
                if (route[registration.RouteKey] is { } name && known.Contains(name) && !defined.Contains(name))
                    errors.Add($"{route.Path}:{registration.RouteKey}: '{name}' is not defined any more. Define it, or name another policy.");
            }
        }
    }
}
