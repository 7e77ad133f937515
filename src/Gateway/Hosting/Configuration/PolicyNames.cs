namespace Gateway.Hosting.Configuration;

/// <summary>
/// Makes the policy names of a candidate known to the framework's options before YARP's validator looks routes'
/// policies up there: each feature whose policies routes name has one. Names are only ever added: a route of the running
/// configuration may still use an old one.
/// </summary>
/// <param name="Names">The names that a configuration defines.</param>
/// <param name="Register">Adds a name; called once for each.</param>
internal sealed record PolicyNameRegistration(
    Func<IConfiguration, IEnumerable<string>> Names, Action<IServiceProvider, string> Register)
{
    /// <param name="section">The section whose keys are the names, such as <c>OutputCache:Policies</c>.</param>
    /// <param name="register">Adds a name; called once for each.</param>
    public static PolicyNameRegistration OfKeys(string section, Action<IServiceProvider, string> register) =>
        new(configuration => configuration.GetSection(section).GetChildren().Select(child => child.Key), register);
}

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
