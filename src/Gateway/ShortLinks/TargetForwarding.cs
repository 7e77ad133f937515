using System.Text;

namespace Gateway.ShortLinks;

/// <summary>
/// Passes what a visitor adds to a short link on to its target. Only path and query of the target grow: scheme, host
/// and port are its maker's, and so are its directories and the parameters it has itself.
/// </summary>
internal static class TargetForwarding
{
    // RFC 3986 §3.3 and §3.4; other characters come in raw from some clients, and are escaped.
    private const string Unescaped = "-._~!$&'()*+,;=:@/?%";

    /// <summary>Appends a path to a target.</summary>
    /// <param name="target">A target that <see cref="TargetRules"/> took.</param>
    /// <param name="suffix">What follows the slash after the slug in the request target, as it was sent.</param>
    /// <returns>Null: the suffix could leave the target's path, or cannot be told not to.</returns>
    public static string? AppendPath(string target, string suffix)
    {
        if (!suffix.Split('/').All(IsHarmless))
            return null;
        var end = target.AsSpan().IndexOfAny('?', '#');
        var (before, after) = end < 0 ? (target, "") : (target[..end], target[end..]);
        // Without the slash a suffix such as ".evil.example" or "@evil.example" would belong to the host.
        var result = $"{before.TrimEnd('/')}/{suffix}{after}";
        return result.Length <= TargetRules.MaxLength ? result : null;
    }

    /// <summary>Appends the parameters of a query that the target has none of the same name of.</summary>
    /// <param name="target">A target, as in <see cref="AppendPath"/>.</param>
    /// <param name="query">The query without its question mark, as it was sent.</param>
    /// <returns>The target as it was, where the result would be longer than a target may be.</returns>
    public static string AppendQuery(string target, string query)
    {
        var hash = target.IndexOf('#', StringComparison.Ordinal);
        var (before, fragment) = hash < 0 ? (target, "") : (target[..hash], target[hash..]);
        var mark = before.IndexOf('?', StringComparison.Ordinal);
        var own = mark < 0 ? [] : before[(mark + 1)..].Split('&').Select(NameOf).ToHashSet(StringComparer.Ordinal);
        var added = string.Join('&', query.Split('&', StringSplitOptions.RemoveEmptyEntries).Where(part => !own.Contains(NameOf(part))).Select(Escape));
        if (added.Length == 0)
            return target;
        var separator = mark < 0 ? "?" : before[^1] is '?' or '&' ? "" : "&";
        var result = before + separator + added + fragment;
        return result.Length <= TargetRules.MaxLength ? result : target;
    }

    private static string NameOf(string parameter)
    {
        var end = parameter.IndexOf('=', StringComparison.Ordinal);
        return Uri.UnescapeDataString((end < 0 ? parameter : parameter[..end]).Replace('+', ' '));
    }

    // Decoded twice, because some servers do: none of it may be a step up (with parameters, as in "..;"), a separator or
    // a control character.
    private static bool IsHarmless(string segment)
    {
        if (!segment.All(c => IsAllowed(c) && c != '?'))
            return false;
        for (var round = 0; round < 3; round++)
        {
            if (segment.Split(';')[0] is "." or ".." || segment.Any(c => c is < ' ' or '\x7f' or '\\' or '/') || TargetRules.HoldsOverlong(segment))
                return false;
            segment = Uri.UnescapeDataString(segment);
        }

        return true;
    }

    private static string Escape(string text)
    {
        if (text.All(IsAllowed))
            return text;
        var escaped = new StringBuilder();
        foreach (var c in text)
        {
            if (IsAllowed(c))
                escaped.Append(c);
            else
                escaped.Append(Uri.EscapeDataString(c.ToString()));
        }

        return escaped.ToString();
    }

    private static bool IsAllowed(char c) => char.IsAsciiLetterOrDigit(c) || Unescaped.Contains(c, StringComparison.Ordinal);
}
