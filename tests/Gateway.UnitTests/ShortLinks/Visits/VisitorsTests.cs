using Gateway.ShortLinks.Visits;
using Microsoft.AspNetCore.Http;

namespace Gateway.UnitTests.ShortLinks.Visits;

public sealed class VisitorsTests
{
    [Theory]
    [InlineData("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", true)]
    [InlineData("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", true)]
    [InlineData("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", true)]
    [InlineData("facebookexternalhit/1.1", true)]
    [InlineData("WhatsApp/2.23.20.0", true)]
    [InlineData("TelegramBot (like TwitterBot)", true)]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) SkypeUriPreview Preview/0.5", true)]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", false)]
    [InlineData("Mozilla/5.0 (Linux; Android 14; CUBOT P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0 Mobile Safari/537.36", false)]
    [InlineData("curl/8.5.0", false)]
    [InlineData("", false)]
    public void Bots_are_known_by_what_they_call_themselves(string userAgent, bool isBot) => Assert.Equal(isBot, Visitors.IsBot(userAgent));

    [Theory]
    [InlineData("GET", null, null, true)]
    [InlineData("POST", null, null, true)]
    [InlineData("HEAD", null, null, false)]
    [InlineData("GET", "Sec-Purpose", "prefetch;prerender", false)]
    [InlineData("GET", "Purpose", "prefetch", false)]
    [InlineData("GET", "X-Purpose", "preview", false)]
    [InlineData("GET", "X-Moz", "prefetch", false)]
    [InlineData("GET", "Sec-Purpose", "", true)]
    public void A_visit_is_a_request_of_somebody_who_follows_the_link(string method, string? field, string? value, bool isVisit)
    {
        var request = new DefaultHttpContext().Request;
        request.Method = method;
        if (field is not null)
            request.Headers[field] = value;

        Assert.Equal(isVisit, Visitors.IsVisit(request, countBots: false));
        Assert.Equal(method != "HEAD", Visitors.IsVisit(request, countBots: true));
    }

    [Theory]
    [InlineData(null, Referrer.None)]
    [InlineData("", Referrer.None)]
    [InlineData("https://News.Example/item?id=1", "news.example")]
    [InlineData("https://news.example:8443", "news.example")]
    [InlineData("android-app://com.example.app/", "com.example.app")]
    [InlineData("https://user:secret@news.example/", Referrer.Other)]
    [InlineData("https://[2001:db8::1]/", Referrer.Other)]
    [InlineData("https:///", Referrer.Other)]
    [InlineData("about:blank", Referrer.Other)]
    [InlineData("https://a b/", Referrer.Other)]
    public void Of_a_referer_only_the_host_is_kept(string? referer, string host) => Assert.Equal(host, Referrer.HostOf(referer));
}
