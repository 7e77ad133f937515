using Gateway.ChangeLog;
using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching;

internal sealed class HttpCacheOptionsValidator : IValidateOptions<HttpCacheOptions>
{
    public const int MaxTags = 64;

    private const string Section = HttpCacheOptions.SectionName;

    public ValidateOptionsResult Validate(string? name, HttpCacheOptions options)
    {
        var errors = new ConfigurationErrors();
        if (options.Redis is { } redis)
            RequireConnectionString(errors, redis);
        errors.Require(options.MemoryLimit is >= 1L << 20 and <= 1L << 40, $"{Section}:{nameof(options.MemoryLimit)}",
            $"'{options.MemoryLimit}' is out of range.", "Write a number of bytes from 1048576 (1 MB) to 1099511627776 (1 TB).");
        errors.Require(options.RedisBodyLimit is >= 0 and <= 512L << 20, $"{Section}:{nameof(options.RedisBodyLimit)}",
            $"'{options.RedisBodyLimit}' is out of range.", "Write a number of bytes from 0 to 536870912 (512 MB).");
        errors.Require(options.RecordingLimit is >= 1L << 20 and <= 1L << 40, $"{Section}:{nameof(options.RecordingLimit)}",
            $"'{options.RecordingLimit}' is out of range.", "Write a number of bytes from 1048576 (1 MB) to 1099511627776 (1 TB).");
        foreach (var (policyName, policy) in options.Policies)
            Validate(errors, $"{Section}:{nameof(options.Policies)}:{policyName}", policy);
        return errors.ToResult();
    }

    private static void Validate(ConfigurationErrors errors, string path, HttpCachePolicyOptions policy)
    {
        errors.Require(policy.CollapseWaitLimit >= TimeSpan.FromMilliseconds(10) && policy.CollapseWaitLimit <= TimeSpan.FromMinutes(5),
            $"{path}:{nameof(policy.CollapseWaitLimit)}", $"'{policy.CollapseWaitLimit}' is out of range.", "Write 00:00:00.010 to 00:05:00.");
        errors.Require(policy.LockThreshold >= TimeSpan.Zero && policy.LockThreshold <= TimeSpan.FromMinutes(1),
            $"{path}:{nameof(policy.LockThreshold)}", $"'{policy.LockThreshold}' is out of range.", "Write 00:00:00 to 00:01:00.");
        RequireWindow(errors, $"{path}:{nameof(policy.StaleWhileRevalidate)}", policy.StaleWhileRevalidate);
        RequireWindow(errors, $"{path}:{nameof(policy.StaleIfError)}", policy.StaleIfError);
        RequireWindow(errors, $"{path}:{nameof(policy.StaleIfUnreachable)}", policy.StaleIfUnreachable);
        errors.Require(policy.MaxBodySize is >= 0 and <= 1L << 30, $"{path}:{nameof(policy.MaxBodySize)}",
            $"'{policy.MaxBodySize}' is out of range.", "Write a number of bytes from 0 to 1073741824 (1 GB).");
        errors.Require(Enum.IsDefined(policy.SetCookie), $"{path}:{nameof(policy.SetCookie)}", $"'{policy.SetCookie}' is unknown.", "Write Bypass, Strip or Store.");
        errors.Require(Enum.IsDefined(policy.WhenChangesUnknown), $"{path}:{nameof(policy.WhenChangesUnknown)}", $"'{policy.WhenChangesUnknown}' is unknown.", "Write Serve, Revalidate or Bypass.");
        errors.Require(Enum.IsDefined(policy.Collapse), $"{path}:{nameof(policy.Collapse)}", $"'{policy.Collapse}' is unknown.", "Write Off, Process or Nodes.");
        errors.Require(policy.Tags.Count <= MaxTags, $"{path}:{nameof(policy.Tags)}", $"lists {policy.Tags.Count} tags.", $"List at most {MaxTags}.");
        for (var i = 0; i < policy.Tags.Count; i++)
        {
            errors.Require(IsTag(policy.Tags[i]), $"{path}:{nameof(policy.Tags)}:{i}", $"'{policy.Tags[i]}' is no tag.",
                $"Write 1 to {Selector.MaxValueLength} characters without white space and commas.");
        }

        errors.Require(policy.TagField.All(IsToken), $"{path}:{nameof(policy.TagField)}", $"'{policy.TagField}' is no field name.", "Write a name such as Surrogate-Key, or nothing.");
    }

    private static void RequireWindow(ConfigurationErrors errors, string path, TimeSpan window) =>
        errors.Require(window >= TimeSpan.Zero && window <= TimeSpan.FromDays(365), path, $"'{window}' is out of range.", "Write 00:00:00 to 365.00:00:00.");

    // The text can hold a password: it is not repeated.
    private static void RequireConnectionString(ConfigurationErrors errors, string text)
    {
        try
        {
            ConfigurationOptions.Parse(text);
        }
        catch (ArgumentException)
        {
            errors.Add($"{Section}:{nameof(HttpCacheOptions.Redis)}", "is not a connection string.",
                "Write a StackExchange.Redis configuration string such as 'localhost:6379,password=…'.");
        }
    }

    internal static bool IsTag(string tag) =>
        tag.Length is > 0 and <= Selector.MaxValueLength && !tag.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c == ',');

    // tchar: RFC 9110 §5.6.2.
    private static bool IsToken(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);
}
