namespace Gateway.Caching.Keys;

/// <summary>
/// Which keys of a query count. What does not is taken off the request before it is looked up, and before the origin
/// sees it: an origin that knew more than the key says could be made to fill the cache with what one client asked for.
/// </summary>
internal sealed class QueryRule
{
    private readonly KeyPattern[] _patterns;
    private readonly bool _keeps;
    private readonly bool _sorts;

    private QueryRule(QueryKeysOptions options)
    {
        _keeps = options.Keep.Count > 0;
        _patterns = [.. (_keeps ? options.Keep : options.Drop).Select(KeyPattern.Parse)];
        _sorts = options.Sort;
    }

    /// <returns>Null where every key counts as it comes.</returns>
    public static QueryRule? Of(QueryKeysOptions options) =>
        options.Keep.Count > 0 || options.Drop.Count > 0 || options.Sort ? new QueryRule(options) : null;

    /// <summary>What counts of a query: its parts as they were written, in their order or sorted by key.</summary>
    /// <param name="query">Empty, or with its question mark.</param>
    /// <returns>Empty, or with its question mark.</returns>
    public string Select(string query)
    {
        if (query.Length <= 1)
            return "";
        var parts = query[1..].Split('&').Select(part => (Key: KeyOf(part), Text: part)).Where(part => Counts(part.Key));
        // Stable: the values of one key keep their order, which means something.
        var selected = _sorts ? parts.OrderBy(part => part.Key, StringComparer.Ordinal) : parts;
        var text = string.Join('&', selected.Select(part => part.Text));
        return text.Length == 0 ? "" : "?" + text;
    }

    /// <summary>The same of a whole URL without a fragment.</summary>
    public string SelectOfUrl(string url)
    {
        var start = url.IndexOf('?', StringComparison.Ordinal);
        return start < 0 ? url : url[..start] + Select(url[start..]);
    }

    private bool Counts(string key)
    {
        foreach (var pattern in _patterns)
        {
            if (pattern.Matches(key))
                return _keeps;
        }

        return !_keeps;
    }

    // As origins read it: application/x-www-form-urlencoded.
    private static string KeyOf(string part)
    {
        var end = part.IndexOf('=', StringComparison.Ordinal);
        return Uri.UnescapeDataString((end < 0 ? part : part[..end]).Replace('+', ' '));
    }

    private readonly record struct KeyPattern(string Text, bool IsPrefix)
    {
        public static KeyPattern Parse(string text) => text.EndsWith('*') ? new(text[..^1], true) : new(text, false);

        public bool Matches(string key) => IsPrefix ? key.StartsWith(Text, StringComparison.Ordinal) : key == Text;
    }
}
