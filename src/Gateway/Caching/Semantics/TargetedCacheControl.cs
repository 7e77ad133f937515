using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Semantics;

/// <summary>
/// <c>CDN-Cache-Control</c>: cache directives for caches like this one alone (RFC 9213). A Dictionary Structured Field;
/// valid and not empty it replaces <c>Cache-Control</c> and <c>Expires</c>, otherwise it is ignored whole (§2.1, §2.2).
/// </summary>
internal static class TargetedCacheControl
{
    public const string FieldName = "CDN-Cache-Control";

    /// <summary>The directives that govern a response.</summary>
    /// <param name="targeted">Its <c>CDN-Cache-Control</c>.</param>
    /// <param name="general">Its <c>Cache-Control</c>.</param>
    /// <param name="isTargeted">Whether the targeted ones were chosen: <c>Expires</c> does not count then.</param>
    public static CacheControl Select(StringValues targeted, StringValues general, out bool isTargeted)
    {
        var chosen = targeted.Count == 0 ? null : Parse(targeted);
        isTargeted = chosen is not null;
        return chosen ?? CacheControl.Parse(general);
    }

    /// <returns>The directives; null for a field that is to be ignored.</returns>
    public static CacheControl? Parse(StringValues field)
    {
        if (StructuredDictionary.Parse(field) is not { Count: > 0 } members)
            return null;

        var control = new CacheControl { IsPresent = true };
        foreach (var (name, item) in members)
        {
            if (!HasTypeOf(name, item))
                return null;
            // "?0" says that the directive does not apply.
            if (item.Type != StructuredType.Boolean || item.Text == "1")
                control = control.With(name, item.Type == StructuredType.Boolean ? "" : item.Text);
        }

        return control;
    }

    // The type follows from the directive: "max-age="60"" is as wrong as "no-store=1". RFC 9213 §2.1.
    private static bool HasTypeOf(string name, StructuredItem item) => name switch
    {
        "max-age" or "s-maxage" or "stale-while-revalidate" or "stale-if-error" =>
            item.Type == StructuredType.Integer && long.Parse(item.Text, CultureInfo.InvariantCulture) >= 0,
        "no-cache" or "private" => item.Type is StructuredType.Boolean or StructuredType.String,
        "no-store" or "public" or "must-revalidate" or "proxy-revalidate" or "must-understand" => item.Type == StructuredType.Boolean,
        _ => true,
    };
}
