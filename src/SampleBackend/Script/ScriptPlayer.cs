using System.Globalization;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace SampleBackend.Script;

/// <summary>Plays one scripted answer: wait, fields, body, in that order, each as the plan says.</summary>
internal static class ScriptPlayer
{
    // The server gives no sign when the last bytes have left; broken at once, a connection may lose them.
    private static readonly TimeSpan TimeToLeave = TimeSpan.FromMilliseconds(50);

    private static readonly byte[] Pattern = CreatePattern();

    public static async Task PlayAsync(HttpContext context, ScriptPlan plan, ScriptRun run, long number, TimeProvider time)
    {
        var aborted = context.RequestAborted;
        if (plan.Hold) await HoldAsync(run, time, aborted);
        if (plan.Delay > TimeSpan.Zero) await Task.Delay(plan.Delay, time, aborted);
        if (plan.Abort)
        {
            context.Abort();
            return;
        }

        var response = context.Response;
        response.StatusCode = plan.Status;
        WriteFields(response, plan, number);
        if (IsNotModified(context.Request, plan))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        if (!plan.HasBody) return;

        response.ContentType ??= "text/plain; charset=utf-8";
        var head = Encoding.UTF8.GetBytes(Head(context.Request, plan, number));
        if (!plan.Chunked) response.ContentLength = head.Length + plan.Size;
        if (!HttpMethods.IsHead(context.Request.Method)) await WriteBodyAsync(context, plan, head, time);
    }

    private static async Task HoldAsync(ScriptRun run, TimeProvider time, CancellationToken aborted)
    {
        try
        {
            await run.Released.WaitAsync(ScriptPlan.LongestDelay, time, aborted);
        }
        catch (TimeoutException)
        {
            // Nobody released it: the answer goes out late rather than never.
        }
    }

    private static void WriteFields(HttpResponse response, ScriptPlan plan, long number)
    {
        response.Headers["X-Script-Seq"] = number.ToString(CultureInfo.InvariantCulture);
        if (plan.ETag is { } tag) response.Headers.ETag = tag.ToString();
        if (plan.LastModified is { } date) response.Headers.LastModified = HeaderUtilities.FormatDate(date);
        foreach (var (name, value) in plan.Fields) response.Headers.Append(name, value);
    }

    // RFC 9110 §13.2.2, steps 3 and 4.
    private static bool IsNotModified(HttpRequest request, ScriptPlan plan)
    {
        if (plan.Status != StatusCodes.Status200OK || !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))) return false;

        var conditions = request.GetTypedHeaders();
        if (request.Headers.IfNoneMatch.Count > 0)
        {
            return plan.ETag is { } tag && conditions.IfNoneMatch.Any(other =>
                other == EntityTagHeaderValue.Any || other.Compare(tag, useStrongComparison: false));
        }
        return plan.LastModified is { } date && conditions.IfModifiedSince is { } since && date <= since;
    }

    private static string Head(HttpRequest request, ScriptPlan plan, long number)
    {
        var head = new StringBuilder();
        if (plan.Seq) head.Append(CultureInfo.InvariantCulture, $"seq={number}\n");
        foreach (var name in plan.Echo) head.Append(CultureInfo.InvariantCulture, $"{name}: {request.Headers[name]}\n");
        return head.Append(plan.Body ?? (plan.Size > 0 || head.Length > 0 ? "" : "scripted\n")).ToString();
    }

    private static async Task WriteBodyAsync(HttpContext context, ScriptPlan plan, byte[] head, TimeProvider time)
    {
        var body = context.Response.Body;
        var total = head.Length + plan.Size;
        var end = Math.Min(plan.Cut ?? total, total);
        for (var position = 0L; position < end;)
        {
            if (position > 0 && plan.BodyDelay > TimeSpan.Zero) await Task.Delay(plan.BodyDelay, time, context.RequestAborted);
            var most = (int)Math.Min(plan.ChunkSize, end - position);
            var chunk = position < head.Length
                ? head.AsMemory((int)position, (int)Math.Min(most, head.Length - position))
                : PatternAt(position - head.Length, most);
            await body.WriteAsync(chunk, context.RequestAborted);
            await body.FlushAsync(context.RequestAborted);
            position += chunk.Length;
        }
        if (plan.Cut is null || plan.Cut > total) return;

        await body.FlushAsync(context.RequestAborted);
        await Task.Delay(TimeToLeave, time, context.RequestAborted);
        context.Abort();
    }

    /// <summary>Bytes of the endless text a…z a…z from <paramref name="position"/> on, so that any slice can be checked.</summary>
    private static ReadOnlyMemory<byte> PatternAt(long position, int most)
    {
        var start = (int)(position % 26);
        return Pattern.AsMemory(start, Math.Min(most, Pattern.Length - start));
    }

    private static byte[] CreatePattern()
    {
        var pattern = new byte[26 * 4096];
        for (var i = 0; i < pattern.Length; i++) pattern[i] = (byte)('a' + (i % 26));
        return pattern;
    }
}
