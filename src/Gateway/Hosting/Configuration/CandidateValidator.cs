using System.Reflection;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Hosting.Configuration;

/// <summary>What checking a candidate found. Without errors, <see cref="Proxy"/> is what YARP is to run.</summary>
internal sealed record CandidateFindings(IReadOnlyList<string> Errors, IProxyConfig? Proxy);

/// <summary>Checks a candidate whole: its sources, every registered section, and YARP's section.</summary>
internal sealed class CandidateValidator(
    IEnumerable<ConfigurationSectionDescriptor> sections, PolicyNames policyNames, IServiceProvider services)
{
    private static readonly MethodInfo ValidateMethod =
        typeof(CandidateValidator).GetMethod(nameof(ValidateOptions), BindingFlags.NonPublic | BindingFlags.Instance)!;

    /// <summary>Finds everything that is wrong with <paramref name="candidate"/>.</summary>
    /// <param name="candidate">The configuration to check.</param>
    /// <param name="wrongSections">Receives the paths of the sections with errors, before YARP's section is checked.</param>
    public async Task<CandidateFindings> CheckAsync(ConfigurationCandidate candidate, Action<IReadOnlySet<string>>? wrongSections = null)
    {
        // A file that could not be read leaves holes everywhere: what follows would be noise.
        if (candidate.SourceErrors.Count > 0)
            return new CandidateFindings(candidate.SourceErrors, null);

        var errors = new List<string>();
        CheckRootKeys(candidate, errors);
        FrameworkConfiguration.Check(candidate.Configuration, errors);
        var wrong = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var section in sections)
        {
            var before = errors.Count;
            CheckSection(candidate.Configuration.GetSection(section.Path), section.OptionsType, errors);
            if (errors.Count > before)
                wrong.Add(section.Path);
        }

        wrongSections?.Invoke(wrong);
        policyNames.Add(candidate.Configuration);
        var proxy = await services.GetRequiredService<ProxySection>().ReadAsync(candidate.Configuration, errors);
        return new CandidateFindings([.. errors.Select(candidate.WithSource)], errors.Count == 0 ? proxy : null);
    }

    private void CheckRootKeys(ConfigurationCandidate candidate, List<string> errors)
    {
        var names = sections.Select(section => section.Path).Concat(FrameworkConfiguration.RootKeys).ToList();
        errors.AddRange(candidate.RootKeysOfFiles
            .Where(key => !names.Contains(key, StringComparer.OrdinalIgnoreCase) && !FrameworkConfiguration.IsRootKey(key))
            .Select(key => SectionShape.Unknown(key, key, names)));
    }

    private void CheckSection(IConfigurationSection section, Type type, List<string> errors)
    {
        var before = errors.Count;
        SectionShape.Check(section, type, errors);
        if (errors.Count > before)
            return;

        var options = Activator.CreateInstance(type)!;
        try
        {
            section.Bind(options);
        }
        catch (InvalidOperationException e)
        {
            errors.Add($"{section.Path}: cannot be bound: {e.Message}");
            return;
        }

        var failures = (IEnumerable<string>)ValidateMethod.MakeGenericMethod(type).Invoke(this, [options])!;
        errors.AddRange(failures.Select(failure => failure.StartsWith(section.Path, StringComparison.OrdinalIgnoreCase)
            ? failure
            : $"{section.Path}: {failure}"));
    }

    private IEnumerable<string> ValidateOptions<TOptions>(TOptions options)
        where TOptions : class =>
        [.. services.GetServices<IValidateOptions<TOptions>>()
            .Select(validator => validator.Validate(Options.DefaultName, options))
            .Where(result => result.Failed)
            .SelectMany(result => result.Failures!)];
}
