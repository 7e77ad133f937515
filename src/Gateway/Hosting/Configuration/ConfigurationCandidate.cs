namespace Gateway.Hosting.Configuration;

/// <summary>One source of a candidate, by the name that errors give it.</summary>
/// <param name="Name">The name.</param>
/// <param name="Provider">What it holds.</param>
/// <param name="IsFile">Whether it was written for the gateway alone, unlike the environment.</param>
internal sealed record ConfigurationLayer(string Name, IConfigurationProvider Provider, bool IsFile = false);

/// <summary>A whole configuration as its sources hold it at one moment; not yet known to be valid, and never changing.</summary>
internal sealed class ConfigurationCandidate(
    IReadOnlyList<ConfigurationLayer> layers, IReadOnlyList<byte[]?> contents, IReadOnlyList<string> sourceErrors)
    : ConfigurationProvider
{
    /// <summary>The files' contents that this was read from.</summary>
    public IReadOnlyList<byte[]?> Contents { get; } = contents;

    /// <summary>What is wrong with the sources themselves: missing files, malformed JSON.</summary>
    public IReadOnlyList<string> SourceErrors { get; } = sourceErrors;

    /// <summary>The keys at the root of the files.</summary>
    public IReadOnlyList<string> RootKeysOfFiles =>
        [.. layers.Where(layer => layer.IsFile).SelectMany(layer => layer.Provider.GetChildKeys([], null)).Distinct(StringComparer.OrdinalIgnoreCase)];

    public IConfiguration Configuration => field ??= new ConfigurationRoot([this]);

    public override bool TryGet(string key, out string? value)
    {
        for (var i = layers.Count - 1; i >= 0; i--)
        {
            if (layers[i].Provider.TryGet(key, out value))
                return true;
        }

        value = null;
        return false;
    }

    public override IEnumerable<string> GetChildKeys(IEnumerable<string> earlierKeys, string? parentPath) =>
        layers.Aggregate(earlierKeys, (keys, layer) => layer.Provider.GetChildKeys(keys, parentPath));

    /// <summary>Puts the source's name before a message that begins with a path: <c>more.json: Path: problem. Fix.</c></summary>
    public string WithSource(string message)
    {
        var end = message.IndexOf(": ", StringComparison.Ordinal);
        return end < 0 ? message : $"{SourceOf(message[..end])}: {message}";
    }

    // What is absent has no source: then the source of the nearest section around it is where the fix goes.
    private string SourceOf(string path)
    {
        for (string? at = path; at is not null; at = ConfigurationPath.GetParentPath(at))
        {
            for (var i = layers.Count - 1; i >= 0; i--)
            {
                if (layers[i].Provider.TryGet(at, out _) || layers[i].Provider.GetChildKeys([], at).Any())
                    return layers[i].Name;
            }
        }

        return "configuration";
    }
}
