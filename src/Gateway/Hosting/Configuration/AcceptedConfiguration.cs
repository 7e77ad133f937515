namespace Gateway.Hosting.Configuration;

/// <summary>The host's only configuration source: the candidate that was accepted last.</summary>
internal sealed class AcceptedConfiguration(ConfigurationCandidate initial) : ConfigurationProvider, IConfigurationSource
{
    // Kestrel's endpoints are built from these by Listeners; read again by the web host they would be bound twice.
    private static readonly string[] ListenerKeys = ["urls", "http_ports", "https_ports"];

    private volatile ConfigurationCandidate _candidate = initial;
    private IReadOnlySet<string> _hidden = new HashSet<string>();

    /// <summary>The candidate that is in force.</summary>
    public ConfigurationCandidate Candidate => _candidate;

    /// <summary>Puts <paramref name="candidate"/> in force for everything that reads the host's configuration.</summary>
    public void Accept(ConfigurationCandidate candidate)
    {
        _candidate = candidate;
        OnReload();
    }

    /// <summary>Lets <paramref name="sections"/> look empty, so that what reads them takes its defaults.</summary>
    public void Hide(IReadOnlySet<string> sections) => _hidden = sections;

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public override bool TryGet(string key, out string? value)
    {
        value = null;
        return !ListenerKeys.Contains(key, StringComparer.OrdinalIgnoreCase) && !IsHidden(key) && _candidate.TryGet(key, out value);
    }

    public override IEnumerable<string> GetChildKeys(IEnumerable<string> earlierKeys, string? parentPath) =>
        parentPath is not null && IsHidden(parentPath) ? earlierKeys : _candidate.GetChildKeys(earlierKeys, parentPath);

    private bool IsHidden(string path) =>
        _hidden.Count > 0 && _hidden.Any(section => path.Equals(section, StringComparison.OrdinalIgnoreCase)
            || path.StartsWith(section + ConfigurationPath.KeyDelimiter, StringComparison.OrdinalIgnoreCase));
}
