using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Semantics;

/// <summary>The request fields that a response was selected by: the members of its <c>Vary</c>, in lower case, sorted, without repeats. RFC 9111 §4.1.</summary>
internal sealed class VaryRule : IEquatable<VaryRule>
{
    private VaryRule(IReadOnlyList<string> names) => Names = names;

    public static VaryRule None { get; } = new([]);

    /// <summary><c>Vary: *</c>, alone or as a member: no request is known to match.</summary>
    public static VaryRule Any { get; } = new(["*"]);

    public IReadOnlyList<string> Names { get; }

    public bool IsAny => ReferenceEquals(this, Any);

    public static VaryRule Parse(StringValues field)
    {
        if (field.Count == 0)
            return None;
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var line in field)
        {
            foreach (var member in (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                names.Add(member.ToLowerInvariant());
        }

        if (names.Contains("*"))
            return Any;
        return names.Count == 0 ? None : new VaryRule([.. names]);
    }

    /// <summary>Rebuilds a rule from the names of one.</summary>
    public static VaryRule FromNames(IReadOnlyList<string> names) => names.Count == 0 ? None : new VaryRule(names);

    /// <summary>
    /// A request field's value in the form that is compared: lines combined, white space around them removed, and
    /// around the members of fields that are lists. RFC 9111 §4.1.
    /// </summary>
    /// <returns>Null for an absent field, which matches only an absent one.</returns>
    public static string? Normalize(string name, StringValues value)
    {
        if (value.Count == 0)
            return null;
        var combined = value.Count == 1 ? value[0] ?? "" : string.Join(',', value.ToArray());
        return IsList(name)
            ? string.Join(',', combined.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            : combined.Trim(' ', '\t');
    }

    public bool Equals(VaryRule? other) => other is not null && Names.SequenceEqual(other.Names);

    public override bool Equals(object? obj) => Equals(obj as VaryRule);

    public override int GetHashCode() => Names.Count == 0 ? 0 : Names[0].GetHashCode(StringComparison.Ordinal) ^ Names.Count;

    private static bool IsList(string name) => name is "accept" or "accept-encoding" or "accept-language" or "accept-charset";
}
