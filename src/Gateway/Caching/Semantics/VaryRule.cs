using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Semantics;

/// <summary>The request fields that a response was selected by: the members of its <c>Vary</c>, in lower case, sorted, without repeats. RFC 9111 §4.1.</summary>
internal sealed class VaryRule : IEquatable<VaryRule>
{
    // Their values are no lists, so that a comma in one is content: what differs in white space differs.
    private static readonly HashSet<string> Singletons = new(StringComparer.Ordinal)
    {
        "authorization", "cookie", "from", "host", "origin", "proxy-authorization", "range", "referer", "user-agent", "x-api-key",
    };

    // Those whose values are lists, so that an empty member says nothing: RFC 9110 §5.6.1. Of a field that is not known an
    // origin may make something of it.
    private static readonly HashSet<string> Lists = new(StringComparer.Ordinal)
    {
        "accept", "accept-charset", "accept-encoding", "accept-language", "access-control-request-headers", "cache-control", "forwarded", "prefer",
        "te", "via",
    };

    // RFC 9110 §12.5.2, §12.5.3, §12.5.4.
    private static readonly HashSet<string> CaseInsensitive = new(StringComparer.Ordinal) { "accept-charset", "accept-encoding", "accept-language" };

    // RFC 9110 §11.6.2, RFC 6265: values that must not be readable where keys are.
    private static readonly HashSet<string> Secret = new(StringComparer.Ordinal) { "authorization", "cookie", "proxy-authorization", "x-api-key" };

    private static readonly VaryRule?[] Known = new VaryRule?[64];

    // Every response brings the field, and a site has few texts of it.
    private static readonly ParsedField?[] Parsed = new ParsedField?[64];

    private VaryRule(string[] names) => (Names, MayHoldSecrets, Alone) = (names, names.Any(Secret.Contains), [this]);

    public static VaryRule None { get; } = new([]);

    private static VaryRule ByCoding { get; } = FromNames(["accept-encoding"]);

    /// <summary><c>Vary: *</c>, alone or as a member: no request is known to match.</summary>
    public static VaryRule Any { get; } = new(["*"]);

    public string[] Names { get; }

    /// <summary>Whether one of the fields carries credentials.</summary>
    public bool MayHoldSecrets { get; }

    /// <summary>A list of this rule alone, which most targets with <c>Vary</c> hold.</summary>
    public VaryRule[] Alone { get; }

    /// <summary>Whether one of the fields says which representations a client would rather have. RFC 9110 §12.5.1, §12.5.2, §12.5.4.</summary>
    public bool NamesPreference => IsAny || Array.Exists(Names, static name => name is "accept" or "accept-charset" or "accept-language");

    /// <summary>There is no <c>Vary</c>, or nothing in it.</summary>
    public bool IsNone => Names.Length == 0;

    public bool IsAny => ReferenceEquals(this, Any);

    /// <summary>
    /// By what a response is selected. One in a content coding was made for those who accept it, also where the origin
    /// forgot to say so (RFC 9110 §12.5.5): without this, one client could have it stored for others that cannot read it.
    /// </summary>
    /// <param name="vary">Its <c>Vary</c>.</param>
    /// <param name="contentEncoding">Its <c>Content-Encoding</c>.</param>
    public static VaryRule Of(StringValues vary, StringValues contentEncoding) =>
        Parse(vary) is { IsNone: false } rule ? rule : contentEncoding.Count > 0 && !string.IsNullOrEmpty(contentEncoding[0]) ? ByCoding : None;

    public static VaryRule Parse(StringValues field)
    {
        if (field.Count == 0)
            return None;
        if (field.Count > 1 || field[0] is not { } text)
            return ParseLines(field);
        ref var place = ref Parsed[(uint)text.GetHashCode(StringComparison.Ordinal) % (uint)Parsed.Length];
        if (Volatile.Read(ref place) is { } parsed && parsed.Field == text)
            return parsed.Rule;
        var rule = ParseLines(field);
        Volatile.Write(ref place, new ParsedField(text, rule));
        return rule;
    }

    /// <summary>The rule of names in lower case, sorted, without repeats.</summary>
    public static VaryRule FromNames(string[] names)
    {
        if (names.Length == 0)
            return None;
        var rule = new VaryRule(names);
        // One instance for the rules of many responses: a site has few.
        ref var place = ref Known[(uint)rule.GetHashCode() % (uint)Known.Length];
        if (Volatile.Read(ref place) is { } known && known.Equals(rule))
            return known;
        Volatile.Write(ref place, rule);
        return rule;
    }

    /// <summary>
    /// A request field's value in the form that is compared: lines combined, white space and empty members removed where
    /// lists allow it, and lower case where the field's values have none. RFC 9111 §4.1.
    /// </summary>
    /// <param name="name">The field's name in lower case.</param>
    /// <param name="value">Its lines, at least one. An absent field matches only an absent one: there is nothing to compare.</param>
    /// <param name="buffer">Where to write, if it is large enough.</param>
    /// <returns>The normal form: in <paramref name="buffer"/>, or a part of <paramref name="value"/> itself.</returns>
    public static ReadOnlySpan<char> Normalize(string name, StringValues value, Span<char> buffer)
    {
        // Lines of Cookie are combined in its own way, as they are on their way to the origin: RFC 9113 §8.2.3.
        var text = value.Count == 1 ? value[0] ?? "" : string.Join(name == "cookie" ? "; " : ",", value.ToArray());
        if (Singletons.Contains(name))
            return text.AsSpan().Trim(" \t");
        return NormalizeList(text, isList: Lists.Contains(name), isLowered: CaseInsensitive.Contains(name), text.Length <= buffer.Length ? buffer : new char[text.Length]);
    }

    public bool Equals(VaryRule? other) => other is not null && Names.SequenceEqual(other.Names);

    public override bool Equals(object? obj) => Equals(obj as VaryRule);

    public override int GetHashCode() => IsNone ? 0 : Names[0].GetHashCode(StringComparison.Ordinal) ^ Names.Length;

    private static VaryRule ParseLines(StringValues field)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var line in field)
        {
            foreach (var member in (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                names.Add(member.ToLowerInvariant());
        }

        // What is no name could have been one: nobody else is known to match then.
        return names.Contains("*") || !names.All(FieldRules.IsToken) ? Any : FromNames([.. names]);
    }

    // Without white space around commas outside quotes, and as a list without empty members: RFC 9110 §5.6.1. One pass and
    // no string, because every hit on a response with Vary comes through here.
    private static Span<char> NormalizeList(string text, bool isList, bool isLowered, Span<char> normal)
    {
        var length = 0;
        var isQuoted = false;
        var isEscaped = false;
        foreach (var c in text)
        {
            if (!isQuoted && (c is ' ' or '\t') && (length == 0 || normal[length - 1] == ','))
                continue;
            if (!isQuoted && c == ',')
            {
                length = normal[..length].TrimEnd(" \t").Length;
                if (isList && (length == 0 || normal[length - 1] == ','))
                    continue;
            }

            isQuoted ^= c == '"' && !isEscaped;
            isEscaped = isQuoted && c == '\\' && !isEscaped;
            normal[length++] = isLowered ? char.ToLowerInvariant(c) : c;
        }

        return normal[..length].TrimEnd(isList ? " \t," : " \t");
    }

    private sealed record ParsedField(string Field, VaryRule Rule);
}
