namespace Gateway.Hosting.Configuration;

/// <summary>The host's only configuration source: the candidate that was accepted last.</summary>
internal sealed class AcceptedConfiguration(ConfigurationCandidate initial) : ConfigurationProvider, IConfigurationSource
{
    // Kestrel's endpoints are built from these by Listeners; read again by the web host they would be bound twice.
    private static readonly string[] ListenerKeys = ["urls", "http_ports", "https_ports"];

    private volatile ConfigurationCandidate _candidate = initial;

    /// <summary>The candidate that is in force.</summary>
    public ConfigurationCandidate Candidate => _candidate;

    /// <summary>Puts <paramref name="candidate"/> in force for everything that reads the host's configuration.</summary>
    public void Accept(ConfigurationCandidate candidate)
    {
        _candidate = candidate;
        OnReload();
    }

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public override bool TryGet(string key, out string? value)
    {
        value = null;
        return !ListenerKeys.Contains(key, StringComparer.OrdinalIgnoreCase) && _candidate.TryGet(key, out value);
    }

    public override IEnumerable<string> GetChildKeys(IEnumerable<string> earlierKeys, string? parentPath) =>
        _candidate.GetChildKeys(earlierKeys, parentPath);
}
