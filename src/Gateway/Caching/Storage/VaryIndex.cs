using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;

namespace Gateway.Caching.Storage;

/// <summary>
/// Under the primary key of a target with <c>Vary</c>: by which rules its variants are found, and which there are, the
/// latest first. In memory the responses stand in it, so that a hit takes one look-up. In Redis the latest does, so that
/// most targets, which have one variant at a time, take one call; it gets a key of its own when another takes its place.
/// </summary>
internal sealed record VaryIndex(VaryRule[] Rules, Variant[] Variants) : StoredEntry
{
    /// <summary>How many different <c>Vary</c> fields are remembered for a target.</summary>
    public const int MaxRules = 4;

    /// <summary>How many variants of a target are kept: clients choose the fields, so they must not choose how many.</summary>
    public const int MaxVariants = 64;

    /// <summary>Up to what length of its body the latest response stands in the index in Redis, in bytes: requests for others read it in vain.</summary>
    public const int MaxInlineBody = 16 * 1024;

    // The object and its two arrays; rules are shared by many.
    private const int ObjectOverhead = 104;

    public static VaryIndex Empty { get; } = new([], []);

    public override long Size => ObjectOverhead + (8 * Rules.Length) + Variants.Sum(static variant => variant.Size);

    /// <summary>The response that a request's fields select.</summary>
    /// <param name="key">The primary key; it is left as it was.</param>
    /// <param name="fields">The request's fields.</param>
    public StoredResponse? Find(ref KeyWriter key, IHeaderDictionary fields)
    {
        StoredResponse? latest = null;
        var start = key.Length;
        foreach (var rule in Rules)
        {
            CacheKey.WriteVariantSuffix(ref key, rule, fields);
            var suffix = key.Written[start..];
            foreach (var variant in Variants)
            {
                if (variant.Response is { } response && suffix.SequenceEqual(variant.Suffix))
                {
                    latest = StoredResponse.LaterOf(latest, response);
                    break;
                }
            }

            key.Truncate(start);
        }

        return latest;
    }

    /// <summary>Whether there is a variant, here or in Redis.</summary>
    public bool Has(string suffix) => Array.Exists(Variants, variant => variant.Suffix == suffix);

    /// <summary>The index with a variant in front; the oldest makes room where it must.</summary>
    /// <param name="rule">The rule that the variant was selected by.</param>
    /// <param name="suffix">Its key without the primary one.</param>
    /// <param name="response">Its response; null for one that is in Redis alone.</param>
    public VaryIndex With(VaryRule rule, string suffix, StoredResponse? response)
    {
        if (Variants is [var first, ..] && first.Suffix == suffix && ReferenceEquals(first.Response, response) && Rules[0].Equals(rule))
            return this;
        var others = Array.FindAll(Rules, other => !other.Equals(rule));
        return new VaryIndex(
            others.Length == 0 ? rule.Alone : [rule, .. others.Take(MaxRules - 1)],
            [new Variant(SharedText.Of(suffix), response), .. Variants.Where(variant => variant.Suffix != suffix).Take(MaxVariants - 1)]);
    }

    /// <summary>The index with one response in the place of another, or in no place; the same where the other is not in it.</summary>
    public VaryIndex Replace(StoredResponse old, StoredResponse? response)
    {
        var position = Array.FindIndex(Variants, variant => ReferenceEquals(variant.Response, old));
        if (position < 0)
            return this;
        var variants = (Variant[])Variants.Clone();
        variants[position] = new Variant(variants[position].Suffix, response);
        return this with { Variants = variants };
    }

    /// <summary>
    /// This index, as it came from Redis, with the responses that are in memory already. A response that came with it takes
    /// the place of an older one; the others have a key of their own.
    /// </summary>
    public VaryIndex Join(VaryIndex known)
    {
        if (known.Variants.Length == 0)
            return this;
        var variants = Array.ConvertAll(Variants, variant => variant.Join(Array.Find(known.Variants, held => held.Suffix == variant.Suffix)));
        var others = known.Variants.Where(held => held.Response is not null && !Has(held.Suffix));
        return new VaryIndex(
            Rules.SequenceEqual(known.Rules) ? known.Rules : [.. Rules.Union(known.Rules).Take(MaxRules)],
            [.. variants.Concat(others).Take(MaxVariants)]);
    }

    /// <summary>The index without the responses that it has no room for: the oldest go first.</summary>
    /// <param name="size">What it may cost, in bytes.</param>
    public VaryIndex Within(long size)
    {
        var variants = Variants;
        var total = Size;
        for (var i = variants.Length - 1; i >= 0 && total > size; i--)
        {
            if (variants[i].Response is not { } response)
                continue;
            if (ReferenceEquals(variants, Variants))
                variants = (Variant[])Variants.Clone();
            total -= response.Size;
            variants[i] = new Variant(variants[i].Suffix, null);
        }

        return ReferenceEquals(variants, Variants) ? this : this with { Variants = variants };
    }
}

/// <summary>A variant of a target.</summary>
/// <param name="Suffix">Its key without the primary one.</param>
/// <param name="Response">The stored response; null: it is in Redis, if it is anywhere.</param>
internal readonly record struct Variant(string Suffix, StoredResponse? Response)
{
    // Its place in the index, and the suffix's text.
    public long Size => 40 + (2L * Suffix.Length) + (Response?.Size ?? 0);

    /// <summary>This variant, as it came from Redis, with the response that is in memory already, if that is the later one.</summary>
    public Variant Join(Variant known)
    {
        if (known.Response is not { } held)
            return this;
        if (Response is null)
            held.HasOwnKey = true;
        return Response is null || held.Supersedes(Response) ? known : this;
    }
}
