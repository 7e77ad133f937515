namespace Gateway.Caching.Explain;

/// <summary>
/// The way of a request to the cache without a client: routing and identity as every request has them, then the
/// explanation in place of the cache. Rate limits are not asked, so that explaining uses nobody's up.
/// </summary>
internal sealed class ExplainPipeline(CacheExplainer explainer)
{
    private RequestDelegate? _pipeline;

    /// <summary>Builds it over the endpoints that <paramref name="app"/> has: call it when all are mapped.</summary>
    /// <param name="app">The application.</param>
    /// <param name="identify">Adds what lies between routing and the cache.</param>
    public void Build(WebApplication app, Action<IApplicationBuilder> identify)
    {
        var branch = ((IApplicationBuilder)app).New();
        branch.UseRouting();
        identify(branch);
        branch.Use((HttpContext context, RequestDelegate _) => ExplainAsync(context));
        // Routing in a branch sees the endpoints of that branch alone: these are the application's.
        branch.UseEndpoints(endpoints =>
        {
            foreach (var source in ((IEndpointRouteBuilder)app).DataSources)
                endpoints.DataSources.Add(source);
        });
        _pipeline = branch.Build();
    }

    /// <summary>Explains a request; a refusal on the way to the cache is an explanation too.</summary>
    public async Task<CacheExplanation> RunAsync(HttpContext context)
    {
        var pipeline = _pipeline ?? throw new InvalidOperationException("The pipeline is not built.");
        await pipeline(context);
        return context.Features.Get<CacheExplanation>() ?? new CacheExplanation
        {
            Outcome = "refuse",
            Reason = $"Before the cache: {context.Response.StatusCode}, by the route's AuthorizationPolicy.",
            Route = context.GetEndpoint()?.DisplayName,
        };
    }

    private async Task ExplainAsync(HttpContext context) => context.Features.Set(await explainer.ExplainAsync(context));
}
