namespace Gateway.ShortLinks;

/// <summary>What a tag may be: a label by which links are listed together.</summary>
internal static class TagRules
{
    public const int MaxLength = 32;
    public const int MaxTags = 10;
    public const string Fix = "Write at most 10 tags, each of 1 to 32 letters (a to z), digits, '-', '_' or '.', a letter or digit first.";

    /// <summary>Reads tags: in lower case, each once, in alphabetical order.</summary>
    public static bool TryRead(IReadOnlyList<string>? texts, out IReadOnlyList<string> tags)
    {
        // Elements of a JSON list can be null whatever their type says.
        var isValid = texts is null || (texts.Count <= MaxTags && texts.All(text => text is not null && IsWellFormed(text)));
        tags = texts is null || !isValid ? [] : [.. texts.Select(text => text.ToLowerInvariant()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return isValid;
    }

    public static bool IsWellFormed(string text) =>
        text.Length is >= 1 and <= MaxLength && char.IsAsciiLetterOrDigit(text[0])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
