using Gateway.Hosting.Configuration;

namespace Gateway.Hosting;

/// <summary>What the program can do besides being a gateway.</summary>
internal static class Commands
{
    private static readonly TimeSpan HealthTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Runs the command that was asked for, if any, and returns the exit code.</summary>
    public static async Task<int?> TryRunAsync(GatewayCommandLine commandLine)
    {
        if (commandLine.Help)
        {
            await Console.Out.WriteLineAsync(GatewayCommandLine.HelpText);
            return 0;
        }

        if (commandLine.WriteSchema is { } path)
        {
            await using var app = await Program.BuildAsync([]);
            await File.WriteAllTextAsync(path, new ConfigurationSchema(app.Services.GetServices<ConfigurationSectionDescriptor>()).Generate());
            return 0;
        }

        if (commandLine.Health is { } url)
            return await IsHealthyAsync(url) ? 0 : 1;
        return null;
    }

    // Container images have no curl: the program asks itself.
    private static async Task<bool> IsHealthyAsync(string url)
    {
        using var client = new HttpClient { Timeout = HealthTimeout };
        try
        {
            using var response = await client.GetAsync(new Uri(url));
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or UriFormatException)
        {
            return false;
        }
    }
}
