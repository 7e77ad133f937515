using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Semantics;

/// <summary>The <c>Age</c> field. RFC 9111 §5.1.</summary>
internal static class AgeField
{
    /// <summary>
    /// The age in seconds: of a list the first member counts, and one that is no number of seconds is ignored, which is
    /// an age of 0. Too large a number is a very old response: RFC 9111 §1.2.2.
    /// </summary>
    public static long Parse(StringValues field)
    {
        if (field.Count == 0)
            return 0;
        var first = field[0].AsSpan();
        var end = first.IndexOf(',');
        first = (end < 0 ? first : first[..end]).Trim(" \t");
        if (first.IsEmpty || first.ContainsAnyExceptInRange('0', '9'))
            return 0;
        return long.TryParse(first, out var age) ? Math.Min(age, CacheControl.Overflow) : CacheControl.Overflow;
    }
}
