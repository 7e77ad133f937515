namespace Gateway.ShortLinks.Transfer;

/// <summary>A link to be imported.</summary>
/// <param name="Line">The line it begins in, from 1.</param>
/// <param name="Request">The link; null where it cannot be understood.</param>
/// <param name="Problem">Why not.</param>
/// <param name="IsLast">Whether nothing after it can be understood either.</param>
internal readonly record struct ImportRecord(long Line, LinkRequest? Request, string Problem = "", bool IsLast = false)
{
    /// <summary>The longest record, in characters: what is longer is not the format it says it is.</summary>
    public const int MaxLength = 16 << 10;

    public static ImportRecord TooLong(long line) => new(line, null, $"A link takes at most {MaxLength} characters here. Is a quote or a line break missing?", IsLast: true);
}
