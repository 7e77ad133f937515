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

/// <summary>The rules that responses for one target varied by, the latest first. Under the primary key of a target with <c>Vary</c>.</summary>
internal sealed record VaryIndex(IReadOnlyList<VaryRule> Rules) : StoredEntry
{
    /// <summary>How many different <c>Vary</c> fields are remembered for a target.</summary>
    public const int MaxRules = 4;

    public override long Size => 64 + Rules.Sum(rule => rule.Names.Sum(name => 24 + (2L * name.Length)));

    /// <summary>The index with <paramref name="latest"/> in front.</summary>
    public VaryIndex With(VaryRule latest) =>
        Rules.Count > 0 && Rules[0].Equals(latest)
            ? this
            : new VaryIndex([latest, .. Rules.Where(rule => !rule.Equals(latest)).Take(MaxRules - 1)]);
}

/// <summary>A stored response (RFC 9111 §2). Immutable but for the note of how far it was checked against the change log.</summary>
internal sealed record StoredResponse : StoredEntry
{
    private const int ObjectOverhead = 320;

    private long _checkedVersion;

    public required int Status { get; init; }

    /// <summary>The stored fields in the order they came, without those made anew for each response.</summary>
    public required KeyValuePair<string, StringValues>[] Fields
    {
        get;
        init
        {
            field = value;
            var fields = new FieldReader(value);
            CacheControl = CacheControl.Parse(fields["Cache-Control"]);
            Vary = VaryRule.Parse(fields["Vary"]);
            ETag = fields.Single("ETag");
            LastModified = fields.Single("Last-Modified");
            LastModifiedDate = HttpDate.Parse(LastModified);
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

    /// <summary>By what the change log can name it: its URL, route and tags.</summary>
    public required Selector[] Selectors { get; init; }

    // Read out of the fields once, because every reuse asks for them.
    public CacheControl CacheControl { get; private init; }

    public VaryRule Vary { get; private init; } = VaryRule.None;

    public string? ETag { get; private init; }

    public string? LastModified { get; private init; }

    public DateTimeOffset? LastModifiedDate { get; private init; }

    public bool HasValidator => ETag is not null || LastModified is not null;

    public override long Size => ObjectOverhead + Body.Length + Fields.Sum(FieldSize) + Selectors.Sum(selector => 24 + (2L * selector.Text.Length));

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
