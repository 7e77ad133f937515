using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.RateLimiting;

internal sealed class RateLimitingOptionsValidator : IValidateOptions<RateLimitingOptions>
{
    /// <summary>How long a full bucket may take to drain, and so a client to wait.</summary>
    public static readonly TimeSpan MaxDrain = TimeSpan.FromDays(36_600);

    private const int MaxLimits = 10;
    private const int MaxTiers = 100;
    private const string NameFix = "Write 1 to 64 letters, digits, '-', '_' or '.'.";
    private const string CountFix = "Write a whole number from 1 to 1000000000.";
    private const string SpanFix = "Write 00:00:00.100 to 366.00:00:00, such as 00:01:00.";
    private const string PartFix = "Write ClientIp, Route, Host, Header:name, Cookie:name or Claim:type.";
    private static readonly TimeSpan MinWindow = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxWindow = TimeSpan.FromDays(366);

    public ValidateOptionsResult Validate(string? name, RateLimitingOptions options)
    {
        var errors = new ConfigurationErrors();
        errors.Require(options.NewIdentitiesPerMinute is >= 1 and <= 1_000_000,
            $"{RateLimitingOptions.SectionName}:{nameof(options.NewIdentitiesPerMinute)}", $"'{options.NewIdentitiesPerMinute}' is out of range.",
            "Write a whole number from 1 to 1000000.");
        foreach (var (policyName, policy) in options.Policies)
        {
            var path = $"{RateLimitingOptions.SectionName}:{nameof(options.Policies)}:{policyName}";
            errors.Require(IsName(policyName), path, "is no policy name.", NameFix);
            errors.Require(policy.Limits.Count is >= 1 and <= MaxLimits, $"{path}:{nameof(policy.Limits)}",
                $"holds {policy.Limits.Count} limits.", $"Write 1 to {MaxLimits}.");
            for (var i = 0; i < policy.Limits.Count; i++)
                new LimitRules(errors, $"{path}:{nameof(policy.Limits)}:{i}", policy.Limits[i]).Check(isOnly: policy.Limits.Count == 1);
            foreach (var twice in policy.Limits.GroupBy(limit => limit.Name, StringComparer.Ordinal).Where(group => group.Count() > 1))
                errors.Add($"{path}:{nameof(policy.Limits)}", $"several limits are named '{twice.Key}'.", "Give each limit a name of its own.");
        }

        return errors.ToResult();
    }

    // Names stand in keys, between colons.
    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private sealed class LimitRules(ConfigurationErrors errors, string path, RateLimitOptions limit)
    {
        private bool IsWindow => limit.Algorithm is RateLimitAlgorithm.FixedWindow or RateLimitAlgorithm.SlidingWindow;

        private bool IsBucket => limit.Algorithm == RateLimitAlgorithm.TokenBucket;

        private bool IsTotal => limit.Algorithm == RateLimitAlgorithm.Total;

        public void Check(bool isOnly)
        {
            Require(IsName(limit.Name), nameof(limit.Name), $"'{limit.Name}' is no name.", NameFix);
            Require(Enum.IsDefined(limit.Algorithm), nameof(limit.Algorithm), $"'{limit.Algorithm}' is unknown.",
                $"Write one of: {string.Join(", ", Enum.GetNames<RateLimitAlgorithm>())}.");
            Require(IsCount(limit.PermitLimit), nameof(limit.PermitLimit), $"'{limit.PermitLimit}' is out of range.", CountFix);
            CheckTime();
            CheckIdentity();
            CheckCost();
            CheckTiers();
            CheckWithoutRedis();
            CheckLease(isOnly);
        }

        private void CheckTime()
        {
            if (IsWindow)
                Require(IsSpan(limit.Window), nameof(limit.Window), $"'{limit.Window}' is out of range.", SpanFix);
            else
                Require(limit.Window == TimeSpan.Zero, nameof(limit.Window), $"a {limit.Algorithm} has no window.", "Remove it.");

            if (IsBucket)
                Require(IsSpan(limit.ReplenishmentPeriod), nameof(limit.ReplenishmentPeriod), $"'{limit.ReplenishmentPeriod}' is out of range.", SpanFix);
            else
                Require(limit.ReplenishmentPeriod == TimeSpan.Zero, nameof(limit.ReplenishmentPeriod), $"a {limit.Algorithm} is not replenished.", "Remove it.");

            Require(!IsBucket || RateLimit.SpanOf(limit) <= MaxDrain, nameof(limit.TokensPerPeriod), "a full bucket takes more than a hundred years to drain.",
                "Write more tokens for a period, a shorter ReplenishmentPeriod or a lower PermitLimit.");
            Require(limit.TokensPerPeriod is null || (IsBucket && IsCount(limit.TokensPerPeriod.Value)), nameof(limit.TokensPerPeriod),
                $"'{limit.TokensPerPeriod}' does not fit.", IsBucket ? CountFix : "Remove it: only a TokenBucket has it.");
            Require(IsTotal == limit.Until.HasValue, nameof(limit.Until), IsTotal ? "is absent." : $"a {limit.Algorithm} has no end.",
                IsTotal ? "Write a date and time such as 2030-01-31T00:00:00Z." : "Remove it: only a Total has it.");
        }

        private void CheckIdentity()
        {
            for (var i = 0; i < limit.By.Count; i++)
                Require(IdentityPart.TryParse(limit.By[i], out _), $"{nameof(limit.By)}:{i}", $"'{limit.By[i]}' is unknown.", PartFix);
        }

        private void CheckCost()
        {
            Require(limit.Cost >= 1 && limit.Cost <= Math.Max(1, limit.PermitLimit), nameof(limit.Cost),
                $"'{limit.Cost}' is out of range.", "Write a whole number from 1 to PermitLimit.");
            Require(limit.CostFromRequest is null || IsFieldName(limit.CostFromRequest), nameof(limit.CostFromRequest), "is no field name.", "Write one such as X-Cost.");
            Require(limit.CostFromResponse is null || IsFieldName(limit.CostFromResponse), nameof(limit.CostFromResponse), "is no field name.", "Write one such as X-Cost.");
            Require(limit.CostFromRequest is null || limit.CostFromResponse is null, nameof(limit.CostFromResponse),
                "stands beside CostFromRequest.", "Keep one of them.");
            Require(limit.CostFromResponse is null || limit.Cost == 1, nameof(limit.Cost), "stands beside CostFromResponse, which takes 1 first.", "Remove it.");
            if (limit.Algorithm == RateLimitAlgorithm.Concurrency)
            {
                Require(limit is { Cost: 1, CostFromRequest: null, CostFromResponse: null }, nameof(limit.Cost),
                    "a request is one request at a time.", "Remove Cost, CostFromRequest and CostFromResponse.");
            }
        }

        private void CheckTiers()
        {
            Require(limit.TierBy is null || IdentityPart.TryParse(limit.TierBy, out _), nameof(limit.TierBy), $"'{limit.TierBy}' is unknown.", PartFix);
            Require(limit.TierBy is null == (limit.Tiers.Count == 0), nameof(limit.Tiers), "tiers need TierBy, and TierBy needs tiers.", "Write both, or neither.");
            Require(limit.Tiers.Count <= MaxTiers, nameof(limit.Tiers), $"holds {limit.Tiers.Count} tiers.", $"Write at most {MaxTiers}.");
            foreach (var (tier, permits) in limit.Tiers)
            {
                Require(IsCount(permits), $"{nameof(limit.Tiers)}:{tier}", $"'{permits}' is out of range.", CountFix);
                Require(permits < 1 || permits >= limit.Cost, $"{nameof(limit.Tiers)}:{tier}", $"'{permits}' is less than Cost: no request would ever pass.", "Write Cost or more.");
            }
        }

        private void CheckWithoutRedis()
        {
            if (limit.WhenRedisIsDown is not { } wanted)
                return;
            Require(Enum.IsDefined(wanted), nameof(limit.WhenRedisIsDown), $"'{wanted}' is unknown.", "Write Allow, Deny or Local.");
            Require(!IsTotal || wanted == WhenRedisIsDown.Deny, nameof(limit.WhenRedisIsDown),
                "a Total is never given away uncounted.", "Write Deny, or remove it.");
        }

        private void CheckLease(bool isOnly)
        {
            Require(limit.LeaseBatch >= 0 && limit.LeaseBatch <= Math.Max(0, limit.PermitLimit), nameof(limit.LeaseBatch),
                $"'{limit.LeaseBatch}' is out of range.", "Write 0 (none) to PermitLimit.");
            if (limit.LeaseBatch == 0)
                return;
            Require(limit.Algorithm is RateLimitAlgorithm.FixedWindow or RateLimitAlgorithm.Total, nameof(limit.LeaseBatch),
                $"permits of a {limit.Algorithm} cannot be leased.", "Use FixedWindow or Total, or remove it.");
            Require(isOnly, nameof(limit.LeaseBatch), "the policy has other limits.", "Remove them, or LeaseBatch.");
            Require(limit is { CostFromRequest: null, CostFromResponse: null, Shadow: false, TierBy: null } && limit.Cost <= limit.LeaseBatch,
                nameof(limit.LeaseBatch), "leased permits have one cost, at most LeaseBatch, no tiers and no shadow.",
                "Remove CostFromRequest, CostFromResponse, Shadow and Tiers, or LeaseBatch.");
        }

        private void Require(bool valid, string property, string problem, string fix) => errors.Require(valid, $"{path}:{property}", problem, fix);

        private static bool IsCount(long value) => value is >= 1 and <= RequestCost.Max;

        private static bool IsSpan(TimeSpan span) => span >= MinWindow && span <= MaxWindow;

        private static bool IsFieldName(string name) =>
            name.Length is >= 1 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
    }
}
