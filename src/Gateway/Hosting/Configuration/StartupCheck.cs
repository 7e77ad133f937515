using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Hosting.Configuration;

/// <summary>
/// Checks the configuration before the host is built: services of the host and of features read their options as soon
/// as they are made, and would stop at the first error instead of listing them all.
/// </summary>
internal static class StartupCheck
{
    /// <summary>Checks <paramref name="candidate"/> with the validators in <paramref name="services"/>; starts nothing.</summary>
    /// <exception cref="InvalidConfigurationException">There are errors.</exception>
    public static async Task RunAsync(IServiceCollection services, ConfigurationCandidate candidate)
    {
        // A copy with a configuration of its own: the host's is disposed with the provider that made it.
        var configuration = new AcceptedConfiguration(candidate);
        IServiceCollection copy = new ServiceCollection();
        foreach (var service in services)
            copy.Add(service);
        copy.AddSingleton(configuration);

        // A logger would throw at the first wrong level of Logging.
        copy.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        copy.AddSingleton<IConfiguration>(new ConfigurationRoot([configuration]));

        await using var provider = copy.BuildServiceProvider();

        // Sections with errors are hidden from whatever YARP's validators are made of, so that those run too.
        var findings = await provider.GetRequiredService<CandidateValidator>().CheckAsync(candidate, configuration.Hide);
        if (findings.Errors.Count > 0)
            throw new InvalidConfigurationException(findings.Errors);
    }
}
