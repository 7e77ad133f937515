using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Semantics;

/// <summary>
/// Fields by which origins negotiate, in a form that is the same for all that prefer the same: members in lower case,
/// sorted, with their weights written one way. RFC 9110 §12.4.2, §12.5.3, §12.5.4.
/// </summary>
internal static class NegotiationFields
{
    public static IReadOnlyList<string> Names { get; } = ["Accept-Encoding", "Accept-Language"];

    /// <returns>The canonical form; the field as it is where it is not valid.</returns>
    public static StringValues Normalize(StringValues field)
    {
        if (field.Count == 0)
            return field;
        var members = new List<string>();
        foreach (var member in string.Join(',', field.ToArray()).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (NormalizeMember(member) is not { } normal)
                return field;
            members.Add(normal);
        }

        members.Sort(StringComparer.Ordinal);
        return string.Join(',', members.Distinct(StringComparer.Ordinal));
    }

    // range [ OWS ";" OWS "q=" weight ]
    private static string? NormalizeMember(string member)
    {
        var end = member.IndexOf(';', StringComparison.Ordinal);
        var name = (end < 0 ? member : member[..end]).TrimEnd(' ', '\t').ToLowerInvariant();
        if (name.Length == 0 || name.AsSpan().ContainsAny(" \t\""))
            return null;
        if (end < 0)
            return name;
        var weight = member.AsSpan(end + 1).Trim(" \t");
        if (!weight.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
            || !decimal.TryParse(weight[2..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value is < 0 or > 1)
            return null;
        return value == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name};q={value:0.###}");
    }
}
