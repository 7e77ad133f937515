using System.Text.Json;
using Microsoft.Extensions.Configuration.Json;

namespace Gateway.Hosting.Configuration;

/// <summary>One JSON file of the configuration: read whole, so that what is parsed is what was compared.</summary>
/// <param name="Path">The full path.</param>
/// <param name="Optional">Whether the gateway runs without the file.</param>
internal sealed record ConfigurationFile(string Path, bool Optional)
{
    /// <summary>The file's name as errors show it.</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>The bytes, or null when there is no such file or it cannot be read now.</summary>
    public byte[]? Read()
    {
        try
        {
            return File.Exists(Path) ? File.ReadAllBytes(Path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Parses <paramref name="content"/>. What is wrong with it goes to <paramref name="errors"/>.</summary>
    /// <returns>The provider, or null when there is nothing that could be used.</returns>
    public IConfigurationProvider? Parse(byte[]? content, ICollection<string> errors)
    {
        if (content is null)
        {
            if (!Optional)
                errors.Add($"{Name}: the file '{Path}' does not exist or cannot be read. Write the path of a JSON file after --config.");
            return null;
        }

        try
        {
            using var stream = new MemoryStream(content, writable: false);
            var provider = new JsonStreamConfigurationProvider(new JsonStreamConfigurationSource { Stream = stream });
            provider.Load();
            return provider;
        }
        catch (JsonException e)
        {
            errors.Add($"{Name}: line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}: this is not JSON. {FirstSentence(e.Message)}");
        }
        catch (FormatException e)
        {
            errors.Add($"{Name}: {e.Message} Write one JSON object in which each key occurs once, whatever its case.");
        }

        return null;
    }

    // The parser repeats the position after its first sentence: "… LineNumber: 3 | BytePositionInLine: 7."
    private static string FirstSentence(string message)
    {
        var position = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return position < 0 ? message : message[..position];
    }
}
