using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Tokens;

internal sealed class TokensOptionsValidator : IValidateOptions<TokensOptions>
{
    private const int MaxForwarded = 20;
    private const string Section = TokensOptions.SectionName;
    private static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan MaxCacheDuration = TimeSpan.FromDays(1);
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(90);

    // YARP gives these names a meaning of its own.
    private static readonly string[] Reserved = ["Default", "Anonymous"];

    public ValidateOptionsResult Validate(string? name, TokensOptions options)
    {
        var errors = new ConfigurationErrors();
        errors.Require(IsPrefix(options.IdentityFieldPrefix), $"{Section}:{nameof(options.IdentityFieldPrefix)}",
            $"'{options.IdentityFieldPrefix}' is no prefix for fields of the gateway's own.",
            "Write letters, digits and '-', from 'X-' to a last '-', such as 'X-Auth-'; not X-Forwarded-.");
        foreach (var (schemeName, scheme) in options.Schemes)
        {
            var path = $"{Section}:{nameof(options.Schemes)}:{schemeName}";
            errors.Require(IsName(schemeName), path, "is no name for a scheme.", "Write 1 to 64 letters, digits, '-', '_' or '.'; not Default or Anonymous.");
            ValidateTrust(errors, path, scheme);
            errors.Require(!IdentityFields.HasPrefix(scheme.ApiKeys.Field, options.IdentityFieldPrefix), $"{path}:{nameof(scheme.ApiKeys)}:{nameof(scheme.ApiKeys.Field)}",
                $"'{scheme.ApiKeys.Field}' is removed from every request, since it begins like an identity field.", $"Write a name that does not begin with '{options.IdentityFieldPrefix}'.");
            ValidateTimes(errors, path, scheme);
            ValidateForward(errors, $"{path}:{nameof(scheme.Forward)}", scheme, options.IdentityFieldPrefix);
        }

        return errors.ToResult();
    }

    private static void ValidateTrust(ConfigurationErrors errors, string path, TokenSchemeOptions scheme)
    {
        SchemeKindRules.Validate(errors, path, scheme);
        for (var i = 0; i < scheme.Algorithms.Count; i++)
        {
            errors.Require(TokenRules.KnownAlgorithms.Contains(scheme.Algorithms[i]), $"{path}:{nameof(scheme.Algorithms)}:{i}",
                $"'{scheme.Algorithms[i]}' is not accepted.", $"Write one of: {string.Join(", ", TokenRules.KnownAlgorithms)}.");
        }

        for (var i = 0; i < scheme.Types.Count; i++)
            errors.Require(scheme.Types[i].Length > 0, $"{path}:{nameof(scheme.Types)}:{i}", "is empty.", "Write a type such as 'at+jwt'.");
        for (var i = 0; i < scheme.RequiredScopes.Count; i++)
        {
            errors.Require(TokenRules.IsScope(scheme.RequiredScopes[i]), $"{path}:{nameof(scheme.RequiredScopes)}:{i}",
                $"'{scheme.RequiredScopes[i]}' is no scope.", "Write printable ASCII without spaces, quotes and backslashes.");
        }
    }

    private static void ValidateTimes(ConfigurationErrors errors, string path, TokenSchemeOptions scheme)
    {
        errors.Require(scheme.ClockSkew >= TimeSpan.Zero && scheme.ClockSkew <= MaxSkew, $"{path}:{nameof(scheme.ClockSkew)}",
            $"'{scheme.ClockSkew}' is out of range.", "Write 00:00:00 to 00:05:00.");
        errors.Require(scheme.CacheDuration >= TimeSpan.FromSeconds(1) && scheme.CacheDuration <= MaxCacheDuration, $"{path}:{nameof(scheme.CacheDuration)}",
            $"'{scheme.CacheDuration}' is out of range.", "Write 00:00:01 to 1.00:00:00.");
        errors.Require(scheme.MaxLifetime >= TimeSpan.FromMinutes(1) && scheme.MaxLifetime <= MaxLifetime, $"{path}:{nameof(scheme.MaxLifetime)}",
            $"'{scheme.MaxLifetime}' is out of range.", "Write 00:01:00 to 90.00:00:00.");
        errors.Require(Enum.IsDefined(scheme.WhenRevocationUnknown), $"{path}:{nameof(scheme.WhenRevocationUnknown)}",
            $"'{scheme.WhenRevocationUnknown}' is unknown.", "Write Accept or Deny.");
    }

    private static void ValidateForward(ConfigurationErrors errors, string path, TokenSchemeOptions scheme, string prefix)
    {
        errors.Require(scheme.Forward.Count <= MaxForwarded, path, $"holds {scheme.Forward.Count} claims.", $"Write at most {MaxForwarded}.");
        for (var i = 0; i < scheme.Forward.Count; i++)
        {
            var forward = scheme.Forward[i];
            errors.Require(forward.Claim.Length > 0, $"{path}:{i}:{nameof(forward.Claim)}", "is missing.", "Write the claim's name, such as 'sub'.");
            errors.Require(
                forward.Field.Length > prefix.Length && forward.Field.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && forward.Field.All(IsFieldCharacter),
                $"{path}:{i}:{nameof(forward.Field)}", $"'{forward.Field}' is no identity field.",
                $"Write a name of letters, digits and '-' that begins with '{prefix}'.");
        }

        foreach (var twice in scheme.Forward.GroupBy(forward => forward.Field, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
            errors.Add(path, $"several claims go to '{twice.Key}'.", "Give each claim a field of its own.");
    }

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
        && !Reserved.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static bool IsPrefix(string prefix)
    {
        const string forwarded = "X-Forwarded-";
        return prefix.Length is >= 4 and <= 64 && prefix.StartsWith("X-", StringComparison.OrdinalIgnoreCase) && prefix.EndsWith('-')
            && prefix.All(IsFieldCharacter) && !prefix.StartsWith(forwarded, StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsFieldCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c == '-';
}
