using Gateway.RateLimiting;

namespace Gateway.UnitTests.RateLimiting;

public sealed class RateLimitingOptionsValidatorTests
{
    public static TheoryData<string, RateLimitOptions> Wrong => new()
    {
        { "Name", Valid(limit => limit.Name = "a b") },
        { "PermitLimit", Valid(limit => limit.PermitLimit = 0) },
        { "Window", Valid(limit => limit.Window = TimeSpan.FromMilliseconds(99)) },
        { "Window", Valid(limit => limit.Algorithm = RateLimitAlgorithm.Concurrency) },
        { "ReplenishmentPeriod", Valid(limit => limit.ReplenishmentPeriod = TimeSpan.FromSeconds(1)) },
        { "ReplenishmentPeriod", Bucket(limit => limit.ReplenishmentPeriod = TimeSpan.Zero) },
        { "TokensPerPeriod", Bucket(limit => limit.TokensPerPeriod = 0) },
        { "TokensPerPeriod", Valid(limit => limit.TokensPerPeriod = 1) },
        { "Until", Valid(limit => limit.Until = DateTimeOffset.UnixEpoch) },
        { "Until", Total(limit => limit.Until = null) },
        { "By:0", Valid(limit => limit.By.Add("Colour")) },
        { "Cost", Valid(limit => limit.Cost = 0) },
        { "Cost", Valid(limit => limit.Cost = 11) },
        { "Cost", Running(limit => limit.Cost = 2) },
        { "Cost", Running(limit => limit.CostFromRequest = "X-Cost") },
        { "CostFromRequest", Valid(limit => limit.CostFromRequest = "X Cost") },
        { "CostFromResponse", Valid(limit => limit.CostFromResponse = "X:Cost") },
        { "CostFromResponse", Valid(limit => (limit.CostFromRequest, limit.CostFromResponse) = ("X-Cost", "X-Cost")) },
        { "Tiers", Valid(limit => limit.TierBy = "Claim:plan") },
        { "Tiers", Valid(limit => limit.Tiers["gold"] = 5) },
        { "Tiers:gold", Valid(limit => (limit.TierBy, limit.Tiers["gold"]) = ("Claim:plan", 0)) },
        { "Tiers:gold", Valid(limit => (limit.Cost, limit.TierBy, limit.Tiers["gold"]) = (3, "Claim:plan", 2)) },
        { "TierBy", Valid(limit => (limit.TierBy, limit.Tiers["gold"]) = ("plan", 1)) },
        { "WhenRedisIsDown", Total(limit => limit.WhenRedisIsDown = WhenRedisIsDown.Allow) },
        { "LeaseBatch", Valid(limit => limit.LeaseBatch = 11) },
        { "LeaseBatch", Valid(limit => (limit.LeaseBatch, limit.Cost) = (2, 3)) },
        { "LeaseBatch", Valid(limit => (limit.LeaseBatch, limit.Shadow) = (2, true)) },
        { "TokensPerPeriod", Bucket(limit => (limit.ReplenishmentPeriod, limit.PermitLimit, limit.TokensPerPeriod) = (TimeSpan.FromDays(366), 1_000_000_000, 1)) },
        { "LeaseBatch", Bucket(limit => limit.LeaseBatch = 2) },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_cannot_hold_is_named_with_its_path(string property, RateLimitOptions limit)
    {
        var result = Validate(limit);

        Assert.True(result.Failed);
        Assert.Contains(result.Failures, error => error.StartsWith($"RateLimiter:Policies:api:Limits:0:{property}:", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_algorithm_can_be_configured()
    {
        RateLimitOptions[] limits =
        [
            Valid(limit => (limit.Cost, limit.CostFromRequest) = (2, "X-Cost")), Bucket(limit => limit.TokensPerPeriod = 3), Running(_ => { }),
            Total(limit => limit.WhenRedisIsDown = WhenRedisIsDown.Deny), Total(limit => limit.LeaseBatch = 5),
            Valid(limit => (limit.TierBy, limit.Tiers["gold"], limit.WhenRedisIsDown) = ("Claim:plan", 50, WhenRedisIsDown.Local)),
        ];

        Assert.All(limits, limit => Assert.True(Validate(limit).Succeeded));
    }

    [Fact]
    public void Leased_permits_stand_alone()
    {
        var result = Validate(Valid(limit => limit.LeaseBatch = 5), Valid(limit => limit.Name = "two"));

        Assert.Contains(result.Failures!, error => error.Contains("LeaseBatch: the policy has other limits.", StringComparison.Ordinal));
    }

    private static Microsoft.Extensions.Options.ValidateOptionsResult Validate(params RateLimitOptions[] limits)
    {
        var policy = new RateLimitPolicyOptions();
        foreach (var limit in limits)
            policy.Limits.Add(limit);
        return new RateLimitingOptionsValidator().Validate(null, new RateLimitingOptions { Policies = { ["api"] = policy } });
    }

    private static RateLimitOptions Valid(Action<RateLimitOptions> change) =>
        Change(new() { Name = "one", PermitLimit = 10, Window = TimeSpan.FromMinutes(1) }, change);

    private static RateLimitOptions Bucket(Action<RateLimitOptions> change) => Change(
        new() { Name = "one", Algorithm = RateLimitAlgorithm.TokenBucket, PermitLimit = 10, ReplenishmentPeriod = TimeSpan.FromMinutes(1) }, change);

    private static RateLimitOptions Running(Action<RateLimitOptions> change) =>
        Change(new() { Name = "one", Algorithm = RateLimitAlgorithm.Concurrency, PermitLimit = 10 }, change);

    private static RateLimitOptions Total(Action<RateLimitOptions> change) =>
        Change(new() { Name = "one", Algorithm = RateLimitAlgorithm.Total, PermitLimit = 10, Until = DateTimeOffset.UnixEpoch.AddYears(80) }, change);

    private static RateLimitOptions Change(RateLimitOptions limit, Action<RateLimitOptions> change)
    {
        change(limit);
        return limit;
    }
}
