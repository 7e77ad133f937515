using System.Text;
using Gateway.Redis;
using Gateway.ShortLinks.Visits;

namespace Gateway.ShortLinks.Transfer;

/// <summary>
/// Writes all links, a page at a time, as fast as they are taken: memory holds one page. A link that is there from
/// beginning to end is written once; of others nothing is promised.
/// </summary>
internal sealed class LinkExport(LinkStore store, VisitStore visits, TimeProvider time, ILogger<LinkExport> logger)
{
    private const int PageSize = 200;
    private const int MaxTries = 20;
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    /// <returns>False: Redis does not answer, and nothing is written yet.</returns>
    public async Task<bool> TryRunAsync(HttpContext context, string tag, string prefix, bool asCsv)
    {
        var (written, cancellationToken) = (0L, context.RequestAborted);
        for (var after = ""; after is not null;)
        {
            // The first page decides whether there is an answer at all: its client is told at once.
            if (!(await ReadAsync(tag, prefix, after, written == 0 ? 1 : MaxTries, cancellationToken)).TryGet(out var page))
            {
                if (!context.Response.HasStarted)
                    return false;
                ShortLinksLog.ExportBroken(logger, written);
                context.Abort();
                return true;
            }

            if (!context.Response.HasStarted)
                await BeginAsync(context.Response, asCsv, cancellationToken);
            await context.Response.WriteAsync(Format(page.Links, asCsv), cancellationToken);
            written += page.Links.Count;
            after = page.Last;
        }

        return true;
    }

    private static Task BeginAsync(HttpResponse response, bool asCsv, CancellationToken cancellationToken)
    {
        response.ContentType = asCsv ? $"{CsvLinks.ContentType}; charset=utf-8" : JsonLines.ContentType;
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentDisposition = asCsv ? "attachment; filename=links.csv" : "attachment; filename=links.jsonl";
        return response.WriteAsync(asCsv ? CsvLinks.Header : "", cancellationToken);
    }

    private static string Format(IReadOnlyList<LinkRequest> links, bool asCsv)
    {
        var text = new StringBuilder();
        foreach (var link in links)
            text.Append(asCsv ? CsvLinks.Write(link) : JsonLines.Write(link));
        return text.ToString();
    }

    private async Task<RedisReply<ExportPage>> ReadAsync(string tag, string prefix, string after, int tries, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var reply = await store.ListAsync(tag, prefix, after, PageSize, cancellationToken);
            if (reply.TryGet(out var found))
            {
                var counts = await visits.ReadAsync([.. found.Links.Select(link => link.Slug)], cancellationToken);
                if (counts.TryGet(out var totals))
                    return new(new ExportPage([.. found.Links.Select((link, i) => LinkRequest.Of(link, totals[i]))], found.Last));
            }

            if (attempt == tries)
                return default;
            await Task.Delay(RetryInterval, time, cancellationToken);
        }
    }

    private readonly record struct ExportPage(IReadOnlyList<LinkRequest> Links, string? Last);
}
