using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace SampleBackend.Catalog;

/// <summary>Proactive negotiation (RFC 9110 §12.5): which language, and JSON or HTML. What nobody accepts falls back to the default.</summary>
internal static class Negotiation
{
    /// <summary>The fields that select a representation, for <c>Vary</c>.</summary>
    public const string Vary = "Accept, Accept-Language";

    private static readonly string[] Languages = ["en", "de", "fr"];

    /// <summary>The language of the shop with the highest quality; English when none is asked for.</summary>
    public static string Language(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().AcceptLanguage;
        return Languages.MaxBy(language => Quality(accepted, language)) ?? Languages[0];
    }

    /// <summary>HTML only where it is preferred to JSON: browsers say so, and <c>*/*</c> does not.</summary>
    public static bool PrefersHtml(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().Accept;
        return Quality(accepted, new MediaTypeHeaderValue("text/html")) > Quality(accepted, new MediaTypeHeaderValue("application/json"));
    }

    // RFC 4647 §3.3.1 the other way round: a range "de-AT" is satisfied by our "de", and "*" by anything not named.
    private static double Quality(IList<StringWithQualityHeaderValue> accepted, string language)
    {
        var named = accepted.Where(range => Primary(range.Value).Equals(language, StringComparison.OrdinalIgnoreCase)).ToList();
        var ranges = named.Count > 0 ? named : accepted.Where(range => range.Value == "*");
        return ranges.Select(range => range.Quality ?? 1).DefaultIfEmpty(0).Max();
    }

    private static double Quality(IList<MediaTypeHeaderValue> accepted, MediaTypeHeaderValue type) =>
        accepted.Where(type.IsSubsetOf)
            .OrderBy(range => range.MatchesAllTypes ? 2 : range.MatchesAllSubTypes ? 1 : 0)
            .Select(range => range.Quality ?? 1)
            .FirstOrDefault();

    private static StringSegment Primary(StringSegment range) =>
        range.IndexOf('-') is var dash and > 0 ? range.Subsegment(0, dash) : range;
}
