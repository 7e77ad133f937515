using Microsoft.Extensions.Options;

namespace Gateway.Hosting.Configuration;

/// <summary>Everything that is wrong with one configuration section: collected, never thrown at the first finding.</summary>
internal sealed class ConfigurationErrors
{
    private readonly List<string> _messages = [];

    /// <summary>Notes one error. The file is found later, from <paramref name="path"/>.</summary>
    /// <param name="path">The full configuration path, such as <c>RateLimiter:Policies:api:Limits:0:Window</c>.</param>
    /// <param name="problem">What is wrong with the value there.</param>
    /// <param name="fix">What to write instead.</param>
    public void Add(string path, string problem, string fix) => _messages.Add($"{path}: {problem} {fix}");

    /// <summary>Notes an error unless <paramref name="valid"/> holds.</summary>
    public void Require(bool valid, string path, string problem, string fix)
    {
        if (!valid)
            Add(path, problem, fix);
    }

    public ValidateOptionsResult ToResult() =>
        _messages.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(_messages);
}
