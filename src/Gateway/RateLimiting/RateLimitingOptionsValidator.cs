using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.RateLimiting;

internal sealed class RateLimitingOptionsValidator : IValidateOptions<RateLimitingOptions>
{
    private const int MaxLimits = 10;
    private const string NameFix = "Write 1 to 64 letters, digits, '-', '_' or '.'.";
    private static readonly TimeSpan MinWindow = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxWindow = TimeSpan.FromDays(366);

    public ValidateOptionsResult Validate(string? name, RateLimitingOptions options)
    {
        var errors = new ConfigurationErrors();
        foreach (var (policyName, policy) in options.Policies)
        {
            var path = $"{RateLimitingOptions.SectionName}:{nameof(options.Policies)}:{policyName}";
            errors.Require(IsName(policyName), path, "is no policy name.", NameFix);
            errors.Require(policy.Limits.Count is >= 1 and <= MaxLimits, $"{path}:{nameof(policy.Limits)}",
                $"holds {policy.Limits.Count} limits.", $"Write 1 to {MaxLimits}.");
            for (var i = 0; i < policy.Limits.Count; i++)
                Validate(errors, $"{path}:{nameof(policy.Limits)}:{i}", policy.Limits[i]);
            foreach (var twice in policy.Limits.GroupBy(limit => limit.Name, StringComparer.Ordinal).Where(group => group.Count() > 1))
                errors.Add($"{path}:{nameof(policy.Limits)}", $"several limits are named '{twice.Key}'.", "Give each limit a name of its own.");
        }

        return errors.ToResult();
    }

    private static void Validate(ConfigurationErrors errors, string path, RateLimitOptions limit)
    {
        errors.Require(IsName(limit.Name), $"{path}:{nameof(limit.Name)}", $"'{limit.Name}' is no name.", NameFix);
        errors.Require(limit.PermitLimit is >= 1 and <= 1_000_000_000, $"{path}:{nameof(limit.PermitLimit)}",
            $"'{limit.PermitLimit}' is out of range.", "Write a whole number from 1 to 1000000000.");
        errors.Require(limit.Window >= MinWindow && limit.Window <= MaxWindow, $"{path}:{nameof(limit.Window)}",
            $"'{limit.Window}' is out of range.", "Write 00:00:00.100 to 366.00:00:00, such as 00:01:00.");
        errors.Require(Enum.IsDefined(limit.Algorithm), $"{path}:{nameof(limit.Algorithm)}", $"'{limit.Algorithm}' is unknown.", "Write FixedWindow.");
        errors.Require(Enum.IsDefined(limit.WhenRedisIsDown), $"{path}:{nameof(limit.WhenRedisIsDown)}", $"'{limit.WhenRedisIsDown}' is unknown.", "Write Allow or Deny.");
        for (var i = 0; i < limit.By.Count; i++)
        {
            errors.Require(IdentityPart.TryParse(limit.By[i], out _), $"{path}:{nameof(limit.By)}:{i}", $"'{limit.By[i]}' is unknown.",
                "Write ClientIp, Route, Header:name or Claim:type.");
        }
    }

    // Names stand in keys, between colons.
    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
