using System.Globalization;
using StackExchange.Redis;

namespace Gateway.ShortLinks;

/// <summary>What of a request a link passes on to its target.</summary>
[Flags]
internal enum LinkForwarding
{
    None = 0,

    /// <summary>The query.</summary>
    Query = 1,

    /// <summary>The path after the slug.</summary>
    Path = 2,
}

/// <summary>What whoever made a link decided.</summary>
/// <param name="Target">Where it leads.</param>
/// <param name="Status">How: 301, 302, 303, 307 or 308.</param>
/// <param name="StartsAt">When it begins to be valid; null: at once.</param>
/// <param name="ExpiresAt">When it stops being valid; null: never.</param>
/// <param name="MaxVisits">How often it can be followed; null: any number of times.</param>
internal sealed record LinkDefinition(Uri Target, int Status, DateTimeOffset? StartsAt, DateTimeOffset? ExpiresAt, long? MaxVisits)
{
    /// <summary>In place of a password's hash: a changed link keeps the one it has. No hash is written like this.</summary>
    public const string KeepPassword = "=";

    /// <summary>Labels in alphabetical order; see <see cref="TagRules"/>.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    public LinkForwarding Forwarding { get; init; }

    /// <summary>Where a visitor of the expired or used-up link is sent; null: as configured for all links.</summary>
    public Uri? ExpiredTarget { get; init; }

    /// <summary>See <see cref="Passwords.PasswordHash"/>; empty: everybody can follow the link.</summary>
    public string PasswordHash { get; init; } = "";

    /// <summary>The values of the fields target to password, in the order of <c>fields.lua</c>; absent values are empty.</summary>
    public RedisValue[] ToRedis() =>
    [
        Target.OriginalString, Status, Milliseconds(StartsAt), Milliseconds(ExpiresAt), MaxVisits ?? RedisValue.EmptyString,
        string.Join(' ', Tags), Forwarding == LinkForwarding.None ? RedisValue.EmptyString : (int)Forwarding,
        ExpiredTarget?.OriginalString ?? "", PasswordHash,
    ];

    /// <summary>Whether both ask for the same but for the password. URLs are compared as they are written, fragments included.</summary>
    public bool IsSameButForPassword(LinkDefinition other) => ToRedis().SkipLast(1).SequenceEqual(other.ToRedis().SkipLast(1));

    private static RedisValue Milliseconds(DateTimeOffset? time) => time?.ToUnixTimeMilliseconds() ?? RedisValue.EmptyString;
}

/// <summary>Whether a link can be followed at some time.</summary>
internal enum LinkState
{
    Valid,
    NotYet,
    Expired,
}

/// <summary>A link as Redis holds it.</summary>
/// <param name="Slug">Its slug, in the form under which it is kept.</param>
/// <param name="Id">Chosen at random when it was made: a later link of the same slug is another link.</param>
/// <param name="Request">Which request with an <c>Idempotency-Key</c> made it, as hashes; see <see cref="IdempotencyKeys.Format"/>. Empty: another one.</param>
internal sealed record ShortLink(string Slug, string Id, LinkDefinition Definition, string Request, DateTimeOffset CreatedAt)
{
    private const int ObjectOverhead = 720;

    /// <summary>The fields of the hash, in the order of <see cref="Read"/> and of <c>fields.lua</c>.</summary>
    public static RedisValue[] Fields { get; } =
        ["id", "request", "created", "target", "status", "starts", "expires", "max", "tags", "forward", "expired", "password"];

    /// <summary>What it takes in memory, in bytes; targets are held as text and as parsed URLs.</summary>
    public long Size => ObjectOverhead
        + (4L * (Definition.Target.OriginalString.Length + (Definition.ExpiredTarget?.OriginalString.Length ?? 0)))
        + (2L * (Definition.PasswordHash.Length + Request.Length)) + (TagRules.MaxLength * 2L * Definition.Tags.Count);

    /// <returns>Null when there is no such link.</returns>
    public static ShortLink? Read(string slug, RedisValue[] values)
    {
        if (values.Length != Fields.Length || values[0].IsNull)
            return null;
        var definition = new LinkDefinition(
            new Uri((string)values[3]!), (int)values[4], Time(values[5]), Time(values[6]), values[7].IsNullOrEmpty ? null : (long)values[7])
        {
            Tags = values[8].IsNullOrEmpty ? [] : ((string)values[8]!).Split(' '),
            Forwarding = values[9].IsNullOrEmpty ? LinkForwarding.None : (LinkForwarding)(int)values[9],
            ExpiredTarget = values[10].IsNullOrEmpty ? null : new Uri((string)values[10]!),
            PasswordHash = (string?)values[11] ?? "",
        };
        return new ShortLink(slug, (string)values[0]!, definition, (string?)values[1] ?? "", Time(values[2])!.Value);
    }

    public LinkState StateAt(DateTimeOffset now) =>
        now < Definition.StartsAt ? LinkState.NotYet : now >= Definition.ExpiresAt ? LinkState.Expired : LinkState.Valid;

    /// <summary>What clients may do with the redirect: one that must be counted or decided anew is not kept (RFC 9111 §5.2.2.5).</summary>
    public string CacheControl(DateTimeOffset now, TimeSpan permanentMaxAge)
    {
        if (Definition.Status is not (StatusCodes.Status301MovedPermanently or StatusCodes.Status308PermanentRedirect)
            || Definition.MaxVisits is not null || Definition.PasswordHash.Length > 0)
            return "no-store";
        var age = Definition.ExpiresAt is { } end && end - now < permanentMaxAge ? end - now : permanentMaxAge;
        return age < TimeSpan.FromSeconds(1) ? "no-store" : string.Create(CultureInfo.InvariantCulture, $"max-age={(long)age.TotalSeconds}");
    }

    private static DateTimeOffset? Time(RedisValue value) => value.IsNullOrEmpty ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)value);
}
