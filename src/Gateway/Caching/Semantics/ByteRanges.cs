namespace Gateway.Caching.Semantics;

/// <summary>A part of a body.</summary>
/// <param name="Start">The first byte.</param>
/// <param name="Length">How many bytes; at least 1.</param>
internal readonly record struct ByteRange(int Start, int Length)
{
    /// <summary>The last byte.</summary>
    public int End => Start + Length - 1;
}

/// <summary>Which parts of a complete body a <c>Range</c> field asks for. RFC 9110 §14.1.2, §14.2.</summary>
internal static class ByteRanges
{
    /// <summary>More ranges than this are an attack or a bug: the field is ignored, as RFC 9110 §14.2 permits.</summary>
    public const int MaxRanges = 16;

    private const string Unit = "bytes=";

    /// <param name="field">The <c>Range</c> field.</param>
    /// <param name="length">The length of the complete body.</param>
    /// <returns>
    /// The ranges in the order they were asked for; empty when none can be satisfied (416); null when the field is to be
    /// ignored: another unit, invalid, or asking for more bytes than there are, which only overlapping ranges do.
    /// </returns>
    public static IReadOnlyList<ByteRange>? Select(string field, int length)
    {
        if (!field.StartsWith(Unit, StringComparison.OrdinalIgnoreCase))
            return null;
        var ranges = new List<ByteRange>(1);
        var total = 0L;
        var count = 0;
        foreach (var part in field.AsSpan(Unit.Length).Split(','))
        {
            var spec = field.AsSpan(Unit.Length)[part].Trim(" \t");
            if (spec.IsEmpty)
                continue;
            if (++count > MaxRanges || !TryRead(spec, length, out var range))
                return null;
            if (range is not { } satisfiable)
                continue;
            ranges.Add(satisfiable);
            total += satisfiable.Length;
        }

        return count == 0 || total > length ? null : ranges;
    }

    // first "-" [last] / "-" suffix-length; range is null for one that is valid and cannot be satisfied.
    private static bool TryRead(ReadOnlySpan<char> spec, int length, out ByteRange? range)
    {
        range = null;
        var dash = spec.IndexOf('-');
        if (dash < 0)
            return false;
        var first = spec[..dash];
        var last = spec[(dash + 1)..];
        if (first.IsEmpty)
        {
            if (!TryReadPosition(last, out var suffix))
                return false;
            var taken = (int)Math.Min(suffix, length);
            range = taken > 0 ? new ByteRange(length - taken, taken) : null;
            return true;
        }

        var end = (long)length - 1;
        if (!TryReadPosition(first, out var start) || (!last.IsEmpty && (!TryReadPosition(last, out end) || end < start)))
            return false;
        end = Math.Min(end, length - 1);
        range = start < length ? new ByteRange((int)start, (int)(end - start + 1)) : null;
        return true;
    }

    private static bool TryReadPosition(ReadOnlySpan<char> text, out long position)
    {
        position = long.MaxValue;
        if (text.IsEmpty || text.ContainsAnyExceptInRange('0', '9'))
            return false;
        // A position beyond every body is as good as the largest.
        if (long.TryParse(text, out var parsed))
            position = parsed;
        return true;
    }
}
