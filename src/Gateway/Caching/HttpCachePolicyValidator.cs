using Gateway.Caching.Semantics;
using Gateway.ChangeLog;
using Gateway.Hosting.Configuration;

namespace Gateway.Caching;

/// <summary>What is wrong with one policy.</summary>
internal static class HttpCachePolicyValidator
{
    public const int MaxTags = 64;

    private const int MaxQueryKeys = 64;
    private const int MaxVariedBy = 16;

    public static void Validate(ConfigurationErrors errors, string path, HttpCachePolicyOptions policy)
    {
        ValidateTimes(errors, path, policy);
        ValidateChoices(errors, path, policy);
        ValidateKey(errors, path, policy);
        ValidateTags(errors, path, policy);
        errors.Require(policy.MaxBodySize is >= 0 and <= 1L << 30, $"{path}:{nameof(policy.MaxBodySize)}",
            $"'{policy.MaxBodySize}' is out of range.", "Write a number of bytes from 0 to 1073741824 (1 GB).");
    }

    public static bool IsTag(string tag) =>
        tag.Length is > 0 and <= Selector.MaxValueLength && !tag.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c == ',');

    private static void ValidateTimes(ConfigurationErrors errors, string path, HttpCachePolicyOptions policy)
    {
        errors.Require(policy.CollapseWaitLimit >= TimeSpan.FromMilliseconds(10) && policy.CollapseWaitLimit <= TimeSpan.FromMinutes(5),
            $"{path}:{nameof(policy.CollapseWaitLimit)}", $"'{policy.CollapseWaitLimit}' is out of range.", "Write 00:00:00.010 to 00:05:00.");
        errors.Require(policy.LockThreshold >= TimeSpan.Zero && policy.LockThreshold <= TimeSpan.FromMinutes(1),
            $"{path}:{nameof(policy.LockThreshold)}", $"'{policy.LockThreshold}' is out of range.", "Write 00:00:00 to 00:01:00.");
        RequireUpToAYear(errors, $"{path}:{nameof(policy.Ttl)}", policy.Ttl ?? default);
        RequireUpToAYear(errors, $"{path}:{nameof(policy.DefaultTtl)}", policy.DefaultTtl ?? default);
        errors.Require(policy.Ttl is null || policy.DefaultTtl is null, $"{path}:{nameof(policy.DefaultTtl)}",
            $"never applies beside {nameof(policy.Ttl)}, which replaces whatever the origin says.", "Remove one of them.");
        RequireUpToAYear(errors, $"{path}:{nameof(policy.StaleWhileRevalidate)}", policy.StaleWhileRevalidate);
        RequireUpToAYear(errors, $"{path}:{nameof(policy.StaleIfError)}", policy.StaleIfError);
        RequireUpToAYear(errors, $"{path}:{nameof(policy.StaleIfUnreachable)}", policy.StaleIfUnreachable);
    }

    private static void ValidateChoices(ConfigurationErrors errors, string path, HttpCachePolicyOptions policy)
    {
        RequireDefined(errors, $"{path}:{nameof(policy.SetCookie)}", policy.SetCookie);
        RequireDefined(errors, $"{path}:{nameof(policy.Authorization)}", policy.Authorization);
        RequireDefined(errors, $"{path}:{nameof(policy.ClientDirectives)}", policy.ClientDirectives);
        RequireDefined(errors, $"{path}:{nameof(policy.WhenChangesUnknown)}", policy.WhenChangesUnknown);
        RequireDefined(errors, $"{path}:{nameof(policy.Collapse)}", policy.Collapse);
    }

    private static void ValidateKey(ConfigurationErrors errors, string path, HttpCachePolicyOptions policy)
    {
        var (query, queryPath) = (policy.QueryKeys, $"{path}:{nameof(policy.QueryKeys)}");
        errors.Require(query.Keep.Count == 0 || query.Drop.Count == 0, queryPath,
            $"has both {nameof(query.Keep)} and {nameof(query.Drop)}.", "Keep names the only keys that count, so there is nothing to drop: remove one of them.");
        RequireEach(errors, $"{queryPath}:{nameof(query.Keep)}", query.Keep, MaxQueryKeys, IsQueryKey, "Write a key, or the start of keys with * at the end.");
        RequireEach(errors, $"{queryPath}:{nameof(query.Drop)}", query.Drop, MaxQueryKeys, IsQueryKey, "Write a key, or the start of keys with * at the end.");
        RequireEach(errors, $"{path}:{nameof(policy.VaryByHeader)}", policy.VaryByHeader, MaxVariedBy, FieldRules.IsToken, "Write a field name such as X-Tenant.");
        RequireEach(errors, $"{path}:{nameof(policy.VaryByCookie)}", policy.VaryByCookie, MaxVariedBy, FieldRules.IsToken, "Write a cookie's name.");
        RequireEach(errors, $"{path}:{nameof(policy.VaryByClaim)}", policy.VaryByClaim, MaxVariedBy, IsClaim, "Write a claim's type such as sub.");
    }

    private static void ValidateTags(ConfigurationErrors errors, string path, HttpCachePolicyOptions policy)
    {
        RequireEach(errors, $"{path}:{nameof(policy.Tags)}", policy.Tags, MaxTags, IsTag,
            $"Write 1 to {Selector.MaxValueLength} characters without white space and commas.");
        errors.Require(policy.TagField.Length == 0 || FieldRules.IsToken(policy.TagField), $"{path}:{nameof(policy.TagField)}",
            $"'{policy.TagField}' is no field name.", "Write a name such as Surrogate-Key, or nothing.");
        errors.Require(!policy.StripTagField || policy.TagField.Length > 0, $"{path}:{nameof(policy.StripTagField)}",
            $"is true, but {nameof(policy.TagField)} names no field.", $"Name the field in {nameof(policy.TagField)}, or write false.");
    }

    private static void RequireEach(
        ConfigurationErrors errors, string path, IList<string> items, int most, Func<string, bool> isValid, string fix)
    {
        errors.Require(items.Count <= most, path, $"lists {items.Count}.", $"List at most {most}.");
        for (var i = 0; i < items.Count; i++)
            errors.Require(isValid(items[i]), $"{path}:{i}", $"'{items[i]}' is not valid here.", fix);
    }

    private static void RequireDefined<TChoice>(ConfigurationErrors errors, string path, TChoice choice)
        where TChoice : struct, Enum =>
        errors.Require(Enum.IsDefined(choice), path, $"'{choice}' is unknown.", $"Write one of {string.Join(", ", Enum.GetNames<TChoice>())}.");

    private static void RequireUpToAYear(ConfigurationErrors errors, string path, TimeSpan time) =>
        errors.Require(time >= TimeSpan.Zero && time <= TimeSpan.FromDays(365), path, $"'{time}' is out of range.", "Write 00:00:00 to 365.00:00:00.");

    // A star elsewhere is more likely a mistake than a key.
    private static bool IsQueryKey(string key) =>
        key.Length is > 0 and <= 256 && !key.Any(char.IsControl) && key.IndexOf('*', StringComparison.Ordinal) is var star && (star < 0 || star == key.Length - 1);

    private static bool IsClaim(string type) => type.Length is > 0 and <= 256 && !type.Any(c => char.IsControl(c) || char.IsWhiteSpace(c));
}
