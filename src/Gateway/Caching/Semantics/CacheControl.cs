using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Semantics;

/// <summary>
/// The directives of a <c>Cache-Control</c> field (RFC 9111 §5.2). Times are in seconds. An unknown directive is
/// ignored (§5.2.3); of a repeated one the first counts (§4.2.1); a value that is no number of seconds makes what
/// it governs stale or stricter (§4.2.1), never fresher.
/// </summary>
internal readonly record struct CacheControl
{
    /// <summary>"Unlimited", for <c>max-stale</c> without a value; larger than every age.</summary>
    public const long Unlimited = long.MaxValue;

    /// <summary>What values too large to represent count as. RFC 9111 §1.2.2.</summary>
    public const long Overflow = 1L << 31;

    // Every stored response holds one of these: four bytes a time instead of sixteen.
    private readonly uint _maxAge, _sharedMaxAge, _minFresh, _maxStale, _staleWhileRevalidate, _staleIfError;

    /// <summary>Whether there is a field at all.</summary>
    public bool IsPresent { get; init; }

    public bool NoStore { get; init; }

    public bool NoCache { get; init; }

    public bool Private { get; init; }

    public bool Public { get; init; }

    public bool MustRevalidate { get; init; }

    public bool ProxyRevalidate { get; init; }

    public bool MustUnderstand { get; init; }

    public bool OnlyIfCached { get; init; }

    public long? MaxAge { get => Unpacked(_maxAge); init => _maxAge = Packed(value); }

    public long? SharedMaxAge { get => Unpacked(_sharedMaxAge); init => _sharedMaxAge = Packed(value); }

    public long? MinFresh { get => Unpacked(_minFresh); init => _minFresh = Packed(value); }

    public long? MaxStale { get => Unpacked(_maxStale); init => _maxStale = Packed(value); }

    /// <summary>For how long after its freshness a response may be used while it is refreshed. RFC 5861 §3.</summary>
    public long? StaleWhileRevalidate { get => Unpacked(_staleWhileRevalidate); init => _staleWhileRevalidate = Packed(value); }

    /// <summary>For how long after its freshness a response may be used when the origin fails. RFC 5861 §4.</summary>
    public long? StaleIfError { get => Unpacked(_staleIfError); init => _staleIfError = Packed(value); }

    /// <summary>
    /// The fields that <c>no-cache="…"</c> and <c>private="…"</c> name, null for none. They concern these fields alone:
    /// a shared cache keeps the response without them. RFC 9111 §5.2.2.4, §5.2.2.7.
    /// </summary>
    public string[]? UnstoredFields { get; init; }

    public static CacheControl Parse(StringValues field)
    {
        if (field.Count == 0)
            return default;

        var parsed = new CacheControl { IsPresent = true };
        foreach (var line in field)
        {
            var rest = line.AsSpan();
            while (TryReadDirective(ref rest, out var name, out var value))
            {
                parsed = parsed.With(name, value);
                if (value.StartsWith("\"") || !FieldRules.IsToken(name))
                    parsed = parsed.WithoutFreshness();
            }
        }

        return parsed;
    }

    /// <summary>Adds one directive; <paramref name="value"/> is empty where it has none.</summary>
    public CacheControl With(ReadOnlySpan<char> name, ReadOnlySpan<char> value) => name switch
    {
        _ when Is(name, "max-age") => this with { MaxAge = MaxAge ?? Seconds(value, invalid: 0) },
        _ when Is(name, "s-maxage") => this with { SharedMaxAge = SharedMaxAge ?? Seconds(value, invalid: 0) },
        _ when Is(name, "no-store") => this with { NoStore = true },
        _ when Is(name, "no-cache") => FieldNames(value) is { } fields ? WithUnstored(fields) : this with { NoCache = true },
        _ when Is(name, "private") => FieldNames(value) is { } fields ? WithUnstored(fields) : this with { Private = true },
        _ when Is(name, "public") => this with { Public = true },
        _ when Is(name, "must-revalidate") => this with { MustRevalidate = true },
        _ when Is(name, "proxy-revalidate") => this with { ProxyRevalidate = true },
        _ when Is(name, "must-understand") => this with { MustUnderstand = true },
        _ when Is(name, "only-if-cached") => this with { OnlyIfCached = true },
        _ when Is(name, "min-fresh") => this with { MinFresh = MinFresh ?? Seconds(value, invalid: Overflow) },
        _ when Is(name, "max-stale") => this with { MaxStale = MaxStale ?? (value.IsEmpty ? Unlimited : Seconds(value, invalid: 0)) },
        _ when Is(name, "stale-while-revalidate") => this with { StaleWhileRevalidate = StaleWhileRevalidate ?? Seconds(value, invalid: 0) },
        _ when Is(name, "stale-if-error") => this with { StaleIfError = StaleIfError ?? Seconds(value, invalid: 0) },
        _ => this,
    };

    // Nothing, 0 to Overflow, and Unlimited all fit.
    private static uint Packed(long? seconds) => seconds switch
    {
        null => 0,
        Unlimited => uint.MaxValue,
        { } value => (uint)Math.Clamp(value, 0, Overflow) + 1,
    };

    private static long? Unpacked(uint seconds) => seconds switch
    {
        0 => null,
        uint.MaxValue => Unlimited,
        _ => seconds - 1,
    };

    // A quoted string that does not end, or a name that is none, leaves open what the field says: what can be read restricts, and nothing is fresh.
    private CacheControl WithoutFreshness() => this with { MaxAge = 0, SharedMaxAge = 0 };

    private CacheControl WithUnstored(string[] fields) => this with { UnstoredFields = [.. UnstoredFields ?? [], .. fields] };

    // Null for no names, for what cannot be one, or for a field that no response can do without: the directive then concerns the whole response.
    private static string[]? FieldNames(ReadOnlySpan<char> value)
    {
        if (value.IsEmpty)
            return null;
        var names = value.ToString().Split([',', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return names.Length > 0 && names.All(FieldRules.IsToken) && names.All(FieldRules.CanBeLeftOut) ? names : null;
    }

    private static bool Is(ReadOnlySpan<char> name, string expected) => name.Equals(expected, StringComparison.OrdinalIgnoreCase);

    // delta-seconds, as a token or quoted: RFC 9111 §1.2.2, §5.2.
    private static long Seconds(ReadOnlySpan<char> value, long invalid)
    {
        if (value.IsEmpty || value.ContainsAnyExceptInRange('0', '9'))
            return invalid;
        return long.TryParse(value, out var seconds) ? Math.Min(seconds, Overflow) : Overflow;
    }

    // cache-directive = token [ "=" ( token / quoted-string ) ], separated by commas: RFC 9111 §5.2.
    private static bool TryReadDirective(ref ReadOnlySpan<char> rest, out ReadOnlySpan<char> name, out ReadOnlySpan<char> value)
    {
        name = value = default;
        rest = rest.TrimStart(" \t,");
        if (rest.IsEmpty)
            return false;

        var end = rest.IndexOfAny('=', ',');
        if (end < 0 || rest[end] == ',')
        {
            name = rest[..(end < 0 ? rest.Length : end)].Trim(" \t");
            rest = end < 0 ? default : rest[(end + 1)..];
            return true;
        }

        name = rest[..end].TrimEnd(" \t");
        rest = rest[(end + 1)..].TrimStart(" \t");
        value = TryReadQuoted(ref rest, out var quoted) ? quoted : ReadToComma(ref rest).TrimEnd(" \t");
        return true;
    }

    private static ReadOnlySpan<char> ReadToComma(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOf(',');
        var read = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return read;
    }

    // A comma inside quotes separates nothing: RFC 9110 §5.6.4. Values with escapes are never numbers, so they stay as they are.
    private static bool TryReadQuoted(ref ReadOnlySpan<char> rest, out ReadOnlySpan<char> value)
    {
        value = default;
        if (!rest.StartsWith("\""))
            return false;
        var end = 1;
        while (end < rest.Length && rest[end] != '"')
            end += rest[end] == '\\' ? 2 : 1;
        if (end >= rest.Length)
            return false;
        value = rest[1..end];
        rest = rest[(end + 1)..];
        ReadToComma(ref rest);
        return true;
    }
}
