using System.Globalization;
using StackExchange.Redis;

namespace Gateway.ShortLinks;

/// <summary>What whoever made a link decided.</summary>
/// <param name="Target">Where it leads.</param>
/// <param name="Status">How: 301, 302, 303, 307 or 308.</param>
/// <param name="StartsAt">When it begins to be valid; null: at once.</param>
/// <param name="ExpiresAt">When it stops being valid; null: never.</param>
/// <param name="MaxVisits">How often it can be followed; null: any number of times.</param>
internal sealed record LinkDefinition(Uri Target, int Status, DateTimeOffset? StartsAt, DateTimeOffset? ExpiresAt, long? MaxVisits)
{
    /// <summary>The values of the fields target, status, starts, expires and max.</summary>
    public RedisValue[] ToRedis() => [Target.OriginalString, Status, Milliseconds(StartsAt), Milliseconds(ExpiresAt), MaxVisits ?? RedisValue.EmptyString];

    /// <summary>Whether both ask for the same. URLs are compared as they are written, fragments included.</summary>
    public bool IsSameAs(LinkDefinition other) => ToRedis().SequenceEqual(other.ToRedis());

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
/// <param name="Request">Which request made it: hashes of its <c>Idempotency-Key</c> and of what it asked for. Empty without a key.</param>
internal sealed record ShortLink(string Slug, string Id, LinkDefinition Definition, string Request, DateTimeOffset CreatedAt)
{
    private const int ObjectOverhead = 640;

    /// <summary>The fields of the hash, in the order of <see cref="Read"/> and of the scripts' replies.</summary>
    public static RedisValue[] Fields { get; } = ["id", "target", "status", "starts", "expires", "max", "request", "created"];

    /// <summary>What it takes in memory, in bytes; the target is held as text and as a parsed URL.</summary>
    public long Size => ObjectOverhead + (4L * Definition.Target.OriginalString.Length);

    /// <returns>Null when there is no such link.</returns>
    public static ShortLink? Read(string slug, RedisValue[] values)
    {
        if (values.Length != Fields.Length || values[0].IsNull)
            return null;
        var definition = new LinkDefinition(
            new Uri((string)values[1]!), (int)values[2], Time(values[3]), Time(values[4]), values[5].IsNullOrEmpty ? null : (long)values[5]);
        return new ShortLink(slug, (string)values[0]!, definition, (string?)values[6] ?? "", Time(values[7])!.Value);
    }

    public LinkState StateAt(DateTimeOffset now) =>
        now < Definition.StartsAt ? LinkState.NotYet : now >= Definition.ExpiresAt ? LinkState.Expired : LinkState.Valid;

    /// <summary>What clients may do with the redirect: one that must be counted or decided anew is not kept (RFC 9111 §5.2.2.5).</summary>
    public string CacheControl(DateTimeOffset now, TimeSpan permanentMaxAge)
    {
        if (Definition.Status is not (StatusCodes.Status301MovedPermanently or StatusCodes.Status308PermanentRedirect) || Definition.MaxVisits is not null)
            return "no-store";
        var age = Definition.ExpiresAt is { } end && end - now < permanentMaxAge ? end - now : permanentMaxAge;
        return age < TimeSpan.FromSeconds(1) ? "no-store" : string.Create(CultureInfo.InvariantCulture, $"max-age={(long)age.TotalSeconds}");
    }

    private static DateTimeOffset? Time(RedisValue value) => value.IsNullOrEmpty ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)value);
}
