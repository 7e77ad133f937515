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

/// <summary>A stored response (RFC 9111 §2). Immutable but for notes: how far it was checked against the change log, and where it stands in Redis.</summary>
internal sealed record StoredResponse : StoredEntry
{
    private const int ObjectOverhead = 320;

    // Half of what DateTimeOffset takes.
    private readonly long _responseTicks;
    private long _checkedVersion;

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
            Vary = VaryRule.Of(fields["Vary"], fields["Content-Encoding"]);
        }
    }

    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>When the response came, by Redis time.</summary>
    public required DateTimeOffset ResponseTime
    {
        get => new(_responseTicks, TimeSpan.Zero);
        init => _responseTicks = value.UtcTicks;
    }

    /// <summary>Its age then, in seconds. RFC 9111 §4.2.3.</summary>
    public required long InitialAge { get; init; }

    /// <summary>In seconds. RFC 9111 §4.2.1.</summary>
    public required long FreshnessLifetime
    {
        get;
        init
        {
            field = value;
            // Whatever makes another response of this one gives it a lifetime, and what was noted of this one is not true of that.
            HasOwnKey = false;
            _checkedVersion = 0;
        }
    }

    public required ChangeStamp Stamp { get; init; }

    /// <summary>By what the change log can name it: its URL, the prefixes that URL is below, its route and tags.</summary>
    public required Selector[] Selectors { get; init; }

    /// <summary>As a variant: whether Redis has it under a key of its own, and not in the index alone.</summary>
    public bool HasOwnKey { get; set; }

    // Read out of the fields once, because every reuse asks for them. The directives are those of RFC 9213 §2.2.
    public CacheControl CacheControl { get; private init; }

    public VaryRule Vary { get; private init; } = VaryRule.None;

    public string? ETag => new FieldReader(Fields).Single("ETag");

    public string? LastModified => new FieldReader(Fields).Single("Last-Modified");

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

    /// <summary>Of several responses that match a request the most recent is used. RFC 9111 §4.</summary>
    public static StoredResponse LaterOf(StoredResponse? one, StoredResponse other) =>
        one is null || other.ResponseTime > one.ResponseTime ? other : one;

    /// <summary>Whether this one, known here, is to be kept when another is found in Redis: it came later, or is the same, which a soft purge has made stale here since.</summary>
    public bool Supersedes(StoredResponse found) =>
        ResponseTime > found.ResponseTime
        || (ResponseTime == found.ResponseTime && Stamp.Epoch == found.Stamp.Epoch && Stamp.Number > found.Stamp.Number);

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
