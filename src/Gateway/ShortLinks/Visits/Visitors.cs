using System.Buffers;

namespace Gateway.ShortLinks.Visits;

/// <summary>
/// Which requests are visits: those of people, as far as they can be told. <c>docs/short-links.md</c> lists the rules.
/// What is no visit is redirected as well; it is not counted, and uses up no maximum.
/// </summary>
internal static class Visitors
{
    // Names that bots give themselves, and the address of an explanation that most of them add.
    private static readonly SearchValues<string> Bots = SearchValues.Create(
        [
            "bot/", "bot;", "-bot", "+http", "crawler", "spider", "preview", "headlesschrome", "lighthouse", "monitor", "uptime", "facebookexternalhit",
            "facebookcatalog", "whatsapp/", "skypeuripreview", "slack-imgproxy", "telegrambot", "twitterbot", "discordbot", "linkedinbot",
            "googlebot", "google-inspectiontool", "mediapartners-google", "adsbot", "bingbot", "yandex", "baiduspider", "duckduckbot", "applebot",
            "slurp", "ia_archiver", "iframely", "embedly", "vkshare", "w3c_validator", "nuzzel", "outbrain", "mattermost", "rocket.chat",
        ],
        StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a request is a visit.</summary>
    /// <param name="request">A request for a link that would redirect.</param>
    /// <param name="countBots">Whether bots are visitors too.</param>
    public static bool IsVisit(HttpRequest request, bool countBots)
    {
        // RFC 9110 §9.2.1: HEAD is safe, it asks but does not consume.
        if (HttpMethods.IsHead(request.Method))
            return false;
        return countBots || !(IsPrefetch(request.Headers) || IsBot(request.Headers.UserAgent.ToString()));
    }

    public static bool IsBot(string userAgent) => userAgent.AsSpan().ContainsAny(Bots);

    // A browser that loads what might be clicked; should it be, it asks again.
    private static bool IsPrefetch(IHeaderDictionary fields) =>
        Says(fields, "Sec-Purpose") || Says(fields, "Purpose") || Says(fields, "X-Purpose") || Says(fields, "X-Moz");

    private static bool Says(IHeaderDictionary fields, string name)
    {
        if (!fields.TryGetValue(name, out var values))
            return false;
        var value = values.ToString();
        return value.Contains("prefetch", StringComparison.OrdinalIgnoreCase) || value.Contains("preview", StringComparison.OrdinalIgnoreCase);
    }
}
