using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Memory;

namespace Gateway.Hosting.Configuration;

/// <summary>
/// Where the configuration comes from; each source wins over those before it: built-in defaults, <c>ASPNETCORE_</c>
/// variables, <c>appsettings.json</c>, the <c>--config</c> files in their order, environment variables, the command line.
/// </summary>
internal sealed class ConfigurationSources(IReadOnlyList<ConfigurationFile> files, string[] commandLine)
{
    private static readonly KeyValuePair<string, string?>[] Defaults =
    [
        new("Logging:LogLevel:Default", "Information"),
        new("Logging:LogLevel:Microsoft.AspNetCore", "Warning"),
        // With a level here the framework makes an Activity and a log scope for every request; traces make theirs without.
        new("Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics", "None"),
        new("Logging:LogLevel:System.Net.Http", "Warning"),
        new("Logging:LogLevel:Yarp", "Warning"),

        // Each failed forward is one line of ours (event 1022) instead of YARP's with a stack trace.
        new("Logging:LogLevel:Yarp.ReverseProxy.Forwarder.HttpForwarder", "None"),
    ];

    public IReadOnlyList<ConfigurationFile> Files { get; } = files;

    /// <summary>The files' contents now, in the order of <see cref="Files"/>.</summary>
    public IReadOnlyList<byte[]?> ReadFiles() => [.. Files.Select(file => file.Read())];

    /// <summary>Puts all sources together, with <paramref name="contents"/> as the files' contents.</summary>
    public ConfigurationCandidate Load(IReadOnlyList<byte[]?> contents)
    {
        var errors = new List<string>();
        var layers = new List<ConfigurationLayer>
        {
            new("built-in default", new MemoryConfigurationProvider(new MemoryConfigurationSource { InitialData = Defaults })),
            Loaded("environment", new EnvironmentVariablesConfigurationProvider("ASPNETCORE_")),
        };
        for (var i = 0; i < Files.Count; i++)
        {
            if (Files[i].Parse(contents[i], errors) is { } provider)
                layers.Add(new ConfigurationLayer(Files[i].Name, provider, IsFile: true));
        }

        layers.Add(Loaded("environment", new EnvironmentVariablesConfigurationProvider()));
        layers.Add(Loaded("command line", new CommandLineConfigurationProvider(commandLine)));
        return new ConfigurationCandidate(layers, contents, errors);
    }

    private static ConfigurationLayer Loaded(string name, ConfigurationProvider provider)
    {
        provider.Load();
        return new ConfigurationLayer(name, provider);
    }
}
