using Microsoft.AspNetCore.Http.HttpResults;
using SampleBackend.Hosting;

namespace SampleBackend.Script;

/// <summary>
/// An origin that behaves as the query says, under <c>/_script/</c> with any path and method; and the questions a test
/// asks it afterwards. Only with <c>Script:Enabled</c>; default: in Development.
/// </summary>
internal static class ScriptEndpoints
{
    private const int LongestId = 100;

    public static void AddScript(this WebApplicationBuilder builder) => builder.Services.AddSingleton<ScriptRuns>();

    public static void MapScript(this WebApplication app)
    {
        if (!app.Configuration.GetValue("Script:Enabled", app.Environment.IsDevelopment())) return;

        app.Map("/_script/{**path}", Play);
        var control = app.MapGroup("/_script").AddEndpointFilter((invocation, next) =>
        {
            invocation.HttpContext.Response.Headers.CacheControl = "no-store";
            return next(invocation);
        });
        control.MapGet("/count", Count);
        control.MapGet("/log", Log);
        control.MapPost("/reset", Reset);
        control.MapPost("/set", Set);
        control.MapPost("/release", Release);
    }

    private static async Task<IResult> Play(HttpContext context, ScriptRuns runs, TimeProvider time)
    {
        var errors = new List<string>();
        var id = ReadId(context, errors);
        var run = errors.Count == 0 ? runs.Of(id) : null;
        var plan = run?.Plan ?? ScriptPlan.Read(context.Request.Query, errors);
        if (run is null || errors.Count > 0) return Refuse(context, errors);

        var number = run.Add(context.Request.Path.ToString());
        runs.Log(run, Describe(context.Request, time));
        await ScriptPlayer.PlayAsync(context, plan, run, number, time);
        return TypedResults.Empty;
    }

    private static IResult Count(HttpContext context, ScriptRuns runs)
    {
        var errors = new List<string>();
        var id = ReadId(context, errors);
        if (errors.Count > 0) return Refuse(context, errors);

        var path = context.Request.Query["path"].ToString();
        var count = runs.Find(id) is not { } run ? 0 : path.Length > 0 ? run.CountOf(path) : run.Count;
        return TypedResults.Json(new ScriptCount(id, count), StorefrontJson.Default.ScriptCount);
    }

    private static IResult Log(HttpContext context, ScriptRuns runs)
    {
        var errors = new List<string>();
        var id = ReadId(context, errors);
        return errors.Count > 0
            ? Refuse(context, errors)
            : TypedResults.Json(runs.Find(id) is { } run ? runs.LogOf(run) : [], StorefrontJson.Default.ScriptRequestArray);
    }

    private static IResult Reset(HttpContext context, ScriptRuns runs)
    {
        var errors = new List<string>();
        var id = ReadId(context, errors);
        if (errors.Count > 0) return Refuse(context, errors);
        runs.Reset(id);
        return TypedResults.NoContent();
    }

    /// <summary>From now on the run answers by this query instead of the requests' own.</summary>
    private static IResult Set(HttpContext context, ScriptRuns runs)
    {
        var errors = new List<string>();
        var id = ReadId(context, errors);
        var plan = ScriptPlan.Read(context.Request.Query, errors);
        if (errors.Count > 0) return Refuse(context, errors);
        runs.Of(id).Plan = plan;
        return TypedResults.NoContent();
    }

    private static IResult Release(HttpContext context, ScriptRuns runs)
    {
        var errors = new List<string>();
        var id = ReadId(context, errors);
        if (errors.Count > 0) return Refuse(context, errors);
        runs.Find(id)?.Release();
        return TypedResults.NoContent();
    }

    private static string ReadId(HttpContext context, List<string> errors)
    {
        var id = new ScriptQuery(context.Request.Query, errors).Text("id") ?? "default";
        if (id.Length is 0 or > LongestId || !id.All(c => c is > ' ' and < '\x7f'))
            errors.Add($"id: 1 to {LongestId} visible ASCII characters.");
        return id;
    }

    private static ProblemHttpResult Refuse(HttpContext context, List<string> errors)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Problems.BadRequest(string.Join(' ', errors));
    }

    private static ScriptRequest Describe(HttpRequest request, TimeProvider time) => new(
        request.Method, request.Path, request.QueryString.ToString(), time.GetUtcNow(),
        request.Headers.ToDictionary(field => field.Key, field => field.Value.Select(value => value ?? "").ToArray(), StringComparer.OrdinalIgnoreCase));
}
