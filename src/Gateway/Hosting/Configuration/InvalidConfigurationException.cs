namespace Gateway.Hosting.Configuration;

/// <summary>The configuration cannot be used. <see cref="Errors"/> lists everything that is wrong, for people to read.</summary>
internal sealed class InvalidConfigurationException(IReadOnlyList<string> errors)
    : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
