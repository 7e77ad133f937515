using System.Text.Json.Serialization;

namespace Gateway.ShortLinks;

/// <summary>
/// A link as the admin API takes it, and as it is exported and imported. Unknown members are refused: a misspelt
/// <c>expiresAt</c> would make a link that never ends.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record LinkRequest
{
    private const long MostVisits = 1_000_000_000;

    /// <summary>Absent: one is generated.</summary>
    public string? Slug { get; init; }

    /// <summary>Where it leads.</summary>
    public string? Target { get; init; }

    /// <summary>301, 302, 303, 307 or 308; default 302.</summary>
    public int? Status { get; init; }

    /// <summary>When it begins to be valid, in UTC where it names no offset; default at once.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset? StartsAt { get; init; }

    /// <summary>When it stops being valid, in UTC where it names no offset; default never.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>How often it can be followed, earlier visits included: 1 to 1,000,000,000; default without end.</summary>
    public long? MaxVisits { get; init; }

    /// <summary>Labels to list it by; see <see cref="TagRules"/>.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Whether the query of a visit is passed on; default false.</summary>
    public bool? ForwardQuery { get; init; }

    /// <summary>Whether the path after the slug is passed on; default false. It needs <see cref="ShortLinksOptions.ForwardPaths"/>.</summary>
    public bool? ForwardPath { get; init; }

    /// <summary>Where visitors are sent when it is expired or used up; default as configured.</summary>
    public string? ExpiredTarget { get; init; }

    /// <summary>What visitors must know, 1 to 128 characters. A changed link keeps its password where this is absent, and loses it where it is empty.</summary>
    public string? Password { get; init; }

    /// <summary>The password's hash in an export, in place of the password.</summary>
    public string? PasswordHash { get; init; }

    /// <summary>The visits a link begins with that comes from elsewhere; default 0. Not to be changed later.</summary>
    public long? Visits { get; init; }

    /// <summary>The link as it is exported.</summary>
    public static LinkRequest Of(ShortLink link, long visits)
    {
        var definition = link.Definition;
        return new LinkRequest
        {
            Slug = link.Slug,
            Target = definition.Target.OriginalString,
            Status = definition.Status,
            StartsAt = definition.StartsAt,
            ExpiresAt = definition.ExpiresAt,
            MaxVisits = definition.MaxVisits,
            Tags = definition.Tags.Count > 0 ? definition.Tags : null,
            ForwardQuery = definition.Forwarding.HasFlag(LinkForwarding.Query) ? true : null,
            ForwardPath = definition.Forwarding.HasFlag(LinkForwarding.Path) ? true : null,
            ExpiredTarget = definition.ExpiredTarget?.OriginalString,
            PasswordHash = definition.PasswordHash.Length > 0 ? definition.PasswordHash : null,
            Visits = visits > 0 ? visits : null,
        };
    }

    /// <summary>Reads what the link is to do, and adds what is wrong to <paramref name="errors"/>, by member.</summary>
    /// <returns>What it is to do, without <see cref="Password"/>, which is to be hashed; null where anything is wrong.</returns>
    public LinkDefinition? Read(ShortLinksOptions options, ShortHosts hosts, Dictionary<string, string[]> errors)
    {
        var target = ReadUrl("target", Target, options, hosts, errors);
        var expiredTarget = ExpiredTarget is null ? null : ReadUrl("expiredTarget", ExpiredTarget, options, hosts, errors);
        if (Status is not (null or 301 or 302 or 303 or 307 or 308))
            errors["status"] = ["Write 301, 302, 303, 307 or 308."];
        if (StartsAt >= ExpiresAt)
            errors["expiresAt"] = ["Write a time after startsAt."];
        if (MaxVisits is < 1 or > MostVisits)
            errors["maxVisits"] = [$"Write a whole number from 1 to {MostVisits}."];
        if (Visits is < 0 or > MostVisits)
            errors["visits"] = [$"Write a whole number from 0 to {MostVisits}."];
        if (!TagRules.TryRead(Tags, out var tags))
            errors["tags"] = [TagRules.Fix];
        if (ForwardPath is true && !options.ForwardPaths)
            errors["forwardPath"] = ["Paths are not passed on here (ShortLinks:ForwardPaths)."];
        if (Password?.Length > Passwords.PasswordHash.MaxPasswordLength)
            errors["password"] = [$"Write 1 to {Passwords.PasswordHash.MaxPasswordLength} characters."];
        if (PasswordHash is { } hash && (Password is not null || !Passwords.PasswordHash.IsWellFormed(hash)))
            errors["passwordHash"] = ["Write a hash that an export gave, and no password beside it; or a password."];
        if (errors.Count > 0)
            return null;
        return new LinkDefinition(target!, Status ?? StatusCodes.Status302Found, StartsAt, ExpiresAt, MaxVisits)
        {
            Tags = tags,
            Forwarding = (ForwardQuery is true ? LinkForwarding.Query : LinkForwarding.None) | (ForwardPath is true ? LinkForwarding.Path : LinkForwarding.None),
            ExpiredTarget = expiredTarget,
            PasswordHash = PasswordHash ?? "",
        };
    }

    /// <summary>Reads the slug of a link to be made; null: one is to be generated.</summary>
    public string? ReadSlug(ShortLinksOptions options, Dictionary<string, string[]> errors)
    {
        if (Slug is null)
            return null;
        if (!SlugRules.TryRead(Slug, options, out var slug))
            errors["slug"] = [SlugRules.Fix];
        else if (SlugRules.IsReserved(slug, options))
            errors["slug"] = ["This word is reserved: write another."];
        return slug;
    }

    private static Uri? ReadUrl(string member, string? text, ShortLinksOptions options, ShortHosts hosts, Dictionary<string, string[]> errors)
    {
        if (!TargetRules.TryRead(text, options, out var target, out var problem))
            errors[member] = [problem];
        else if (hosts.LeadsBack(target, options))
            errors[member] = ["Write the URL that the other short link leads to: links to short links can be loops."];
        return target;
    }
}
