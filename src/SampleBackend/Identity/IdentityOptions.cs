using Microsoft.Extensions.Options;

namespace SampleBackend.Identity;

/// <summary>Section <c>Identity</c>.</summary>
internal sealed class IdentityOptions
{
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromHours(1);

    /// <summary>The <c>iss</c> of every token, and the base of the addresses in the provider's metadata.</summary>
    public string Issuer { get; set; } = "http://localhost:8080/identity";

    /// <summary>The <c>aud</c> of every token.</summary>
    public string Audience { get; set; } = "storefront";

    /// <summary>How long a token is valid: 1 second to 1 hour, default 10 minutes. A request may ask for less.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>A PEM file with the RSA keys, the one that signs first, shared by all backends and created by whichever starts first. Absent: a key of this process's own.</summary>
    public string? SigningKeyFile { get; set; }

    /// <summary>Who may have a token, by name: a user and a client in one.</summary>
    public Dictionary<string, AccountOptions> Accounts { get; set; } = new(StringComparer.Ordinal);
}

/// <summary>One entry of <c>Identity:Accounts</c>.</summary>
internal sealed class AccountOptions
{
    public string Password { get; set; } = "";

    /// <summary>The scopes it may have, separated by spaces.</summary>
    public string Scope { get; set; } = "";

    /// <summary>The <c>plan</c> claim: limits and caches may differ by it.</summary>
    public string Plan { get; set; } = "free";
}

internal sealed class IdentityOptionsValidator : IValidateOptions<IdentityOptions>
{
    public ValidateOptionsResult Validate(string? name, IdentityOptions options)
    {
        var failures = new List<string>();
        if (!Uri.TryCreate(options.Issuer, UriKind.Absolute, out var issuer) || issuer.Scheme is not ("http" or "https"))
            failures.Add("Identity:Issuer: an absolute http or https URL, as http://localhost:8080/identity.");
        if (options.Audience.Length == 0)
            failures.Add("Identity:Audience: must not be empty.");
        if (options.Lifetime < TimeSpan.FromSeconds(1) || options.Lifetime > IdentityOptions.LongestLifetime)
            failures.Add("Identity:Lifetime: from 00:00:01 to 01:00:00.");
        failures.AddRange(options.Accounts
            .Where(account => account.Value.Password.Length == 0)
            .Select(account => $"Identity:Accounts:{account.Key}:Password: must not be empty."));
        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }
}
