using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching;

internal sealed class HttpCacheOptionsValidator : IValidateOptions<HttpCacheOptions>
{
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
        errors.Require(options.MaxWaitingRequests is >= 1 and <= 1_000_000, $"{Section}:{nameof(options.MaxWaitingRequests)}",
            $"'{options.MaxWaitingRequests}' is out of range.", "Write a number of requests from 1 to 1000000.");
        foreach (var (policyName, policy) in options.Policies)
            HttpCachePolicyValidator.Validate(errors, $"{Section}:{nameof(options.Policies)}:{policyName}", policy);
        return errors.ToResult();
    }

    // The text can hold a password: it is not repeated.
    private static void RequireConnectionString(ConfigurationErrors errors, string text)
    {
        const string path = $"{Section}:{nameof(HttpCacheOptions.Redis)}";
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
}
