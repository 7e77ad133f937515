using System.Globalization;
using Gateway.Caching.Semantics;
using Gateway.ChangeLog;
using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Storage;

/// <summary>What can stand under a key: a response, or the rules by which its variants are found.</summary>
internal abstract record StoredEntry
{
    /// <summary>What the entry costs in memory, in bytes, all told.</summary>
    public abstract long Size { get; }
}

/// <summary>Under the primary key of a target with <c>Vary</c>: by which rules its variants are found, and which there are, the latest first.</summary>
internal sealed record VaryIndex(IReadOnlyList<VaryRule> Rules, IReadOnlyList<string> Variants) : StoredEntry
{
    /// <summary>How many different <c>Vary</c> fields are remembered for a target.</summary>
    public const int MaxRules = 4;

    /// <summary>How many variants of a target are kept: clients choose the fields, so they must not choose how many.</summary>
    public const int MaxVariants = 64;

    public static VaryIndex Empty { get; } = new([], []);

    public override long Size => 192 + Rules.Sum(rule => rule.Names.Sum(name => 24 + (2L * name.Length))) + Variants.Sum(suffix => 24 + (2L * suffix.Length));

    /// <summary>The index with a variant in front.</summary>
    /// <param name="rule">The rule that the variant was selected by.</param>
    /// <param name="suffix">Its key without the primary one.</param>
    /// <param name="dropped">The variant that had to make room, if one had to.</param>
    public VaryIndex With(VaryRule rule, string suffix, out string? dropped)
    {
        dropped = null;
        if (Variants.Count > 0 && Variants[0] == suffix && Rules[0].Equals(rule))
            return this;
        List<string> variants = [suffix, .. Variants.Where(variant => variant != suffix)];
        if (variants.Count > MaxVariants)
        {
            dropped = variants[^1];
            variants.RemoveAt(variants.Count - 1);
        }

        return new VaryIndex([rule, .. Rules.Where(other => !other.Equals(rule)).Take(MaxRules - 1)], variants);
    }
}

/// <summary>A stored response (RFC 9111 §2). Immutable but for the note of how far it was checked against the change log.</summary>
internal sealed record StoredResponse : StoredEntry
{
    private const int ObjectOverhead = 320;

    private long _checkedVersion;
    private HitTexts? _texts;

    public required int Status { get; init; }

    /// <summary>The stored fields in the order they came, without those made anew for each response.</summary>
    public required KeyValuePair<string, StringValues>[] Fields
    {
        get;
        init
        {
            field = FieldNames.Shared(value);
            var fields = new FieldReader(value);
            CacheControl = TargetedCacheControl.Select(fields[TargetedCacheControl.FieldName], fields["Cache-Control"], out _);
            Vary = VaryRule.Parse(fields["Vary"]);
            ETag = fields.Single("ETag");
            LastModified = fields.Single("Last-Modified");
        }
    }

    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>When the response came, by Redis time.</summary>
    public required DateTimeOffset ResponseTime { get; init; }

    /// <summary>Its age then, in seconds. RFC 9111 §4.2.3.</summary>
    public required long InitialAge { get; init; }

    /// <summary>In seconds. RFC 9111 §4.2.1.</summary>
    public required long FreshnessLifetime { get; init; }

    public required ChangeStamp Stamp { get; init; }

    /// <summary>By what the change log can name it: its URL, the prefixes that URL is below, its route and tags.</summary>
    public required Selector[] Selectors { get; init; }

    // Read out of the fields once, because every reuse asks for them. The directives are those of RFC 9213 §2.2.
    public CacheControl CacheControl { get; private init; }

    public VaryRule Vary { get; private init; } = VaryRule.None;

    public string? ETag { get; private init; }

    public string? LastModified { get; private init; }

    /// <summary>Its <c>Date</c>, or when it came.</summary>
    public DateTimeOffset Date => HttpDate.Parse(new FieldReader(Fields).Single("Date"), ResponseTime) ?? ResponseTime;

    /// <summary>What <c>If-Modified-Since</c> is compared with. RFC 9111 §4.3.2.</summary>
    public DateTimeOffset ModifiedSince => HttpDate.Parse(LastModified, ResponseTime) ?? Date;

    public bool HasValidator => ETag is not null || LastModified is not null;

    public override long Size => ObjectOverhead + Body.Length + Fields.Sum(FieldSize) + Selectors.Sum(selector => 32 + (2L * selector.Text.Length));

    /// <summary>Whether a newer response, which was not to be stored, replaced this one: it may be validated, and not used stale.</summary>
    public bool IsSuperseded => InitialAge >= Semantics.CacheControl.Overflow && FreshnessLifetime == 0;

    /// <summary>The response as one that is <see cref="IsSuperseded"/>.</summary>
    public StoredResponse Superseded() => this with { FreshnessLifetime = 0, InitialAge = Semantics.CacheControl.Overflow };

    /// <summary>The response as one that is stale from <paramref name="now"/> on, and was compared with the log up to <paramref name="stamp"/>.</summary>
    public StoredResponse Expired(DateTimeOffset now, ChangeStamp stamp) =>
        this with { FreshnessLifetime = Math.Min(FreshnessLifetime, CurrentAge(now)), Stamp = stamp };

    /// <summary>current_age in seconds. RFC 9111 §4.2.3.</summary>
    public long CurrentAge(DateTimeOffset now) => Freshness.CurrentAge(InitialAge, ResponseTime, now);

    /// <summary>Whether changes made since it was stored concern it: one comparison, unless there were changes since it was last asked.</summary>
    public ChangeVerdict CheckAgainst(SharedChangeLog log)
    {
        var version = log.Version;
        if (Volatile.Read(ref _checkedVersion) == version)
            return ChangeVerdict.Current;
        var verdict = log.Check(Stamp, Selectors);
        if (verdict == ChangeVerdict.Current)
            Volatile.Write(ref _checkedVersion, version);
        return verdict;
    }

    /// <summary>What a hit says of itself: made once a second at most, however many hits there are.</summary>
    public HitTexts TextsOf(in Reuse reuse)
    {
        var ttl = FreshnessLifetime - reuse.Age;
        if (_texts is not { } texts || texts.Of != (reuse.Age, ttl, reuse.Reason))
        {
            _texts = texts = new HitTexts(
                (reuse.Age, ttl, reuse.Reason), reuse.Age.ToString(CultureInfo.InvariantCulture), CacheStatus.Hit(ttl, reuse.Reason));
        }

        return texts;
    }

    private static long FieldSize(KeyValuePair<string, StringValues> field)
    {
        // Names are mostly shared with the server's own; values are not.
        var size = 24L;
        foreach (var value in field.Value)
            size += 24 + (2L * (value?.Length ?? 0));
        return size;
    }

    private readonly struct FieldReader(KeyValuePair<string, StringValues>[] fields)
    {
        public StringValues this[string name]
        {
            get
            {
                foreach (var field in fields)
                {
                    if (field.Key.Equals(name, StringComparison.OrdinalIgnoreCase))
                        return field.Value;
                }

                return StringValues.Empty;
            }
        }

        public string? Single(string name) => this[name] is { Count: 1 } values ? values[0] : null;
    }
}

/// <summary>The texts of a hit.</summary>
/// <param name="Of">What they are made of: age, freshness left, and why the response is reused.</param>
/// <param name="Age">For <c>Age</c>.</param>
/// <param name="CacheStatus">For <c>Cache-Status</c>.</param>
internal sealed record HitTexts((long Age, long Ttl, CacheReason Reason) Of, string Age, string CacheStatus);
