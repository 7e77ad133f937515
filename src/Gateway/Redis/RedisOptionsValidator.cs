using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Redis;

internal sealed class RedisOptionsValidator : IValidateOptions<RedisOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisOptions options)
    {
        var errors = new ConfigurationErrors();
        const string section = RedisOptions.SectionName;

        if (options.Configuration is { } configuration)
            RequireConnectionString(errors, $"{section}:{nameof(options.Configuration)}", configuration);

        for (var i = 0; i < options.LockEndpoints.Count; i++)
            RequireConnectionString(errors, $"{section}:{nameof(options.LockEndpoints)}:{i}", options.LockEndpoints[i]);

        errors.Require(options.EmbeddedPort is >= 0 and <= 65535, $"{section}:{nameof(options.EmbeddedPort)}",
            $"'{options.EmbeddedPort}' is no port.", "Write 0 for any free port, or 1 to 65535.");
        errors.Require(IsPrefix(options.KeyPrefix), $"{section}:{nameof(options.KeyPrefix)}",
            $"'{options.KeyPrefix}' cannot begin keys.", "Write 1 to 64 letters, digits, ':', '-', '_' or '.'.");
        errors.Require(options.Deadline >= TimeSpan.FromMilliseconds(10) && options.Deadline <= TimeSpan.FromSeconds(10),
            $"{section}:{nameof(options.Deadline)}", $"'{options.Deadline}' is out of range.", "Write 00:00:00.010 to 00:00:10.");
        return errors.ToResult();
    }

    // The text of a connection string can hold a password: it is never repeated in an error.
    private static void RequireConnectionString(ConfigurationErrors errors, string path, string text)
    {
        const string fix = "Write a StackExchange.Redis configuration string such as 'localhost:6379,password=…'.";
        try
        {
            errors.Require(ConfigurationOptions.Parse(text).EndPoints.Count > 0, path, "names no server.", fix);
        }
        catch (ArgumentException)
        {
            errors.Add(path, "is not a connection string.", fix);
        }
    }

    private static bool IsPrefix(string prefix) =>
        prefix.Length is >= 1 and <= 64 && prefix.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '-' or '_' or '.');
}

/// <summary>For a process that takes an embedded server where no other is named.</summary>
internal sealed class EmbeddedRedisValidator : IValidateOptions<RedisOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisOptions options)
    {
        var errors = new ConfigurationErrors();
        errors.Require(options.Configuration is not null || EmbeddedRedisServer.IsBuiltIn, $"{RedisOptions.SectionName}:{nameof(options.Configuration)}",
            "is absent, and this build holds no embedded server.", "Write a connection string such as 'localhost:6379'.");
        return errors.ToResult();
    }
}
