namespace SampleBackend.Hosting;

/// <summary>The configuration is wrong.</summary>
/// <param name="errors">One line for each error: the path of the setting, and what it must be.</param>
public sealed class ConfigurationException(params IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    /// <summary>One line for each error: the path of the setting, and what it must be.</summary>
    public IReadOnlyList<string> Errors { get; } = errors;
}
