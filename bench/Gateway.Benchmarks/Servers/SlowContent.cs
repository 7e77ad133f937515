using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Gateway.Benchmarks.Load;

namespace Gateway.Benchmarks.Servers;

/// <summary>
/// What the origin answers after a while: <c>/slow/MILLISECONDS/KIND/KEY</c>. Each body names the request that it answers,
/// how often that URL was asked for, and when the answer was sent, so that whoever gets it can tell whose it is, and how old.
/// </summary>
internal static class SlowContent
{
    public const string Prefix = "/slow/";

    /// <summary>The field by which a request names itself.</summary>
    public const string IdentityField = "X-Identity";

    /// <summary>Storable for an hour, for a second, for a second by language; for nobody else; not at all.</summary>
    public const string Shared = "shared";
    public const string Brief = "brief";
    public const string ByLanguage = "language";
    public const string Private = "private";
    public const string NotStored = "no-store";

    private static readonly ConcurrentDictionary<string, int> Asked = new(StringComparer.Ordinal);

    public static string PathOf(TimeSpan time, string kind, string key) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{(int)time.TotalMilliseconds}/{kind}/{key}");

    public static async Task WriteAsync(HttpContext context)
    {
        if (context.Request.Path.Value!.Split('/') is not ["", _, var milliseconds, var kind, _])
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var path = context.Request.Path.Value;
        var times = Asked.AddOrUpdate(path, 1, static (_, times) => times + 1);
        await Task.Delay(int.Parse(milliseconds, CultureInfo.InvariantCulture), context.RequestAborted);
        context.Response.Headers.CacheControl = kind switch
        {
            Shared => "max-age=3600",
            Brief or ByLanguage => "max-age=1",
            Private => "private, max-age=3600",
            _ => "no-store",
        };
        if (kind == ByLanguage)
            context.Response.Headers.Vary = "Accept-Language";
        var fields = context.Request.Headers;
        var body = new AnswerText(path, $"{fields[IdentityField]}", $"{fields.AcceptLanguage}", times, Stopwatch.GetTimestamp()).ToBytes();
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body);
    }
}
