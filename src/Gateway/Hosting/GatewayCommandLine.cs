using Gateway.Hosting.Configuration;

namespace Gateway.Hosting;

/// <summary>What was asked for when the process was started.</summary>
/// <param name="ConfigFiles">The <c>--config</c> files, in their order.</param>
/// <param name="WriteSchema">Where <c>--write-schema</c> writes.</param>
/// <param name="Health">What <c>--health</c> asks.</param>
/// <param name="Help">Whether <c>--help</c> was given.</param>
/// <param name="Settings">Everything else: configuration keys, as ASP.NET Core reads them.</param>
internal sealed record GatewayCommandLine(
    IReadOnlyList<string> ConfigFiles, string? WriteSchema, string? Health, bool Help, string[] Settings)
{
    private static readonly string[] Options = ["--urls", "--config", "--write-schema", "--health", "--help"];

    public const string HelpText = """
        Gateway [--urls URL[;URL]] [--config FILE]... [--Section:Key=value]...

          --urls URL            where the public listener listens; default http://localhost:8080
          --config FILE         a JSON file over appsettings.json; may be repeated, later files win
          --Section:Key=value   any configuration key, over all files; --Admin:Urls=http://localhost:8081
          --write-schema FILE   writes the JSON schema of the configuration and ends
          --health URL          ends with 0 if a GET of URL answers 2xx within 3 seconds, else with 1
          --help                shows this

        Ends with 0 after a shutdown that was asked for, with 1 when the configuration is wrong.
        """;

    /// <summary>Splits <paramref name="args"/>; <c>--name value</c> and <c>--name=value</c> mean the same.</summary>
    /// <exception cref="InvalidConfigurationException">A value is missing, or nothing reads an option.</exception>
    public static GatewayCommandLine Parse(string[] args)
    {
        var files = new List<string>();
        var settings = new List<string>();
        string? schema = null, health = null;
        var help = false;
        for (var i = 0; i < args.Length; i++)
        {
            if (Value(args, ref i, "--config") is { } file)
                files.Add(file);
            else if (Value(args, ref i, "--write-schema") is { } path)
                schema = path;
            else if (Value(args, ref i, "--health") is { } url)
                health = url;
            else if (args[i] is "--help" or "-h" or "-?")
                help = true;
            else
                settings.Add(args[i]);
        }

        RefuseUnknown(settings);
        return new GatewayCommandLine(files, schema, health, help, [.. settings]);
    }

    // A misspelt --config would be a key that nothing reads. What belongs to a section has a colon, and is checked there.
    private static void RefuseUnknown(List<string> settings)
    {
        for (var i = 0; i < settings.Count; i++)
        {
            var (name, hasValue) = settings[i].Split('=', 2) is [var before, _] ? (before, true) : (settings[i], false);
            if (!name.StartsWith("--", StringComparison.Ordinal))
                continue;
            if (!name.Contains(':', StringComparison.Ordinal) && !FrameworkConfiguration.IsRootKey(name[2..]))
            {
                throw new InvalidConfigurationException(
                    [$"command line: {name}: there is no such option. {NearestName.Suggest(name, Options)}Write --Section:Key=value, or see --help."]);
            }

            if (!hasValue)
                i++;
        }
    }

    /// <summary>The sources: <c>appsettings.json</c> beside the program, then the files, then the rest of the command line.</summary>
    public ConfigurationSources ToSources(string baseDirectory) => new(
        [
            new ConfigurationFile(Path.Combine(baseDirectory, "appsettings.json"), Optional: true),
            .. ConfigFiles.Select(file => new ConfigurationFile(Path.GetFullPath(file), Optional: false)),
        ],
        Settings);

    private static string? Value(string[] args, ref int i, string name)
    {
        if (args[i].StartsWith(name + "=", StringComparison.OrdinalIgnoreCase))
            return args[i][(name.Length + 1)..];
        if (!args[i].Equals(name, StringComparison.OrdinalIgnoreCase))
            return null;
        if (i + 1 == args.Length)
            throw new InvalidConfigurationException([$"command line: {name}: its value is missing. Write '{name} value'."]);
        return args[++i];
    }
}
