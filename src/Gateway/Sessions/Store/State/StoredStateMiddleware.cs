namespace Gateway.Sessions.Store.State;

/// <summary>
/// Loads the session before the request goes on, because its members cannot wait for Redis, and saves it before the
/// response where that has not begun, so that a success is not announced for a change that is lost.
/// </summary>
internal sealed class StoredStateMiddleware(RequestDelegate next, ILogger<StoredStateMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var session = (StoredState)context.Session;
        // Where it fails, the request goes on: it may not need its session. If it does, it ends with 503.
        await session.TryLoadAsync(context.RequestAborted);
        try
        {
            await next(context);
            // Not cancelled with the request: a client that left still has the session.
            await session.CommitAsync(CancellationToken.None);
        }
        catch (SessionStoreUnavailableException)
        {
            session.Abandon();
            if (!context.Response.HasStarted)
                throw;
            SessionsLog.SessionLost(logger);
        }
    }
}
