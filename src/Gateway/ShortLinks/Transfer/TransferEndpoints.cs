using System.Text;
using Gateway.ShortLinks.Visits;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Gateway.ShortLinks.Transfer;

/// <summary>Many links at once, on the admin listener.</summary>
internal static class TransferEndpoints
{
    // Text in another encoding must not become links that somebody did not write; a byte order mark, as spreadsheets write it, is skipped.
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: true, throwOnInvalidBytes: true);

    /// <summary>
    /// <c>POST /import-links?replace=true|false</c> takes <c>text/csv</c> or <c>application/jsonl</c> of any length, and
    /// answers with JSON lines while it works. <c>GET /export-links?format=csv|jsonl&amp;prefix=&amp;tag=</c> gives what can be imported.
    /// </summary>
    public static void MapLinkTransfer(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("/import-links", ImportAsync);
        admin.MapGet("/export-links", ExportAsync);
    }

    private static async Task ImportAsync(HttpContext context, LinkImport import, TimeProvider time, bool replace = false)
    {
        var isCsv = HasType(context.Request, CsvLinks.ContentType);
        if (!isCsv && !HasType(context.Request, JsonLines.ContentType) && !HasType(context.Request, "application/x-ndjson"))
        {
            await TypedResults.Problem(
                statusCode: StatusCodes.Status415UnsupportedMediaType, title: $"Send {CsvLinks.ContentType} or {JsonLines.ContentType}.").ExecuteAsync(context);
            return;
        }

        // Any length: it is read as fast as links are made, and never held as a whole.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
        using var reader = new StreamReader(context.Request.Body, StrictUtf8, detectEncodingFromByteOrderMarks: false);
        var report = new ImportReport(context.Response, time);
        try
        {
            var records = isCsv ? CsvLinks.ReadAsync(reader, context.RequestAborted) : JsonLines.ReadAsync(reader, context.RequestAborted);
            await import.RunAsync(records, replace, report, context.RequestAborted);
        }
        catch (DecoderFallbackException)
        {
            await report.EndAsync("The text is not UTF-8. Lines after the last one reported may or may not be imported: send all of them again.", context.RequestAborted);
        }
    }

    private static async Task ExportAsync(
        HttpContext context, LinkExport export, VisitDelivery delivery, IOptionsMonitor<ShortLinksOptions> options,
        string format = "jsonl", string prefix = "", string tag = "")
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (format is not ("csv" or "jsonl"))
            errors["format"] = ["Write csv or jsonl."];
        if (prefix.Length > 0 && !SlugRules.TryRead(prefix, options.CurrentValue, out prefix))
            errors["prefix"] = [SlugRules.Fix];
        if (tag.Length > 0 && !TagRules.IsWellFormed(tag))
            errors["tag"] = [TagRules.Fix];
        if (errors.Count > 0)
        {
            await LinkProblems.Invalid(errors).ExecuteAsync(context);
            return;
        }

        await delivery.DeliverAsync(context.RequestAborted);
        if (!await export.TryRunAsync(context, tag.ToLowerInvariant(), prefix, asCsv: format == "csv"))
            await LinkProblems.Unavailable(context.Response).ExecuteAsync(context);
    }

    private static bool HasType(HttpRequest request, string type) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var given) && given.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase);
}
