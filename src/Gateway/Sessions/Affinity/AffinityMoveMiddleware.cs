using Yarp.ReverseProxy.Model;

namespace Gateway.Sessions.Affinity;

/// <summary>
/// After load balancing: makes the picked destination that of a session without one. It is recorded before the request
/// is forwarded, so that of several requests at once all go where the first one goes.
/// </summary>
internal sealed class AffinityMoveMiddleware(RequestDelegate next, AffinityRecords records, SessionsMetrics metrics)
{
    public Task InvokeAsync(HttpContext context)
    {
        var proxy = context.GetReverseProxyFeature();
        return context.Features.Get<RequestAffinity>() is { NeedsDestination: true } request && proxy.AvailableDestinations is [var picked]
            ? MoveAsync(context, proxy, request, picked)
            : next(context);
    }

    private async Task MoveAsync(HttpContext context, IReverseProxyFeature proxy, RequestAffinity request, DestinationState picked)
    {
        var cluster = proxy.Cluster.Config.ClusterId;
        request.Held = await records.MoveAsync(request.Id, request.Held, picked.DestinationId, context.RequestAborted);
        if (request.Held.Destination == picked.DestinationId)
        {
            metrics.Moved(cluster);
        }
        else
        {
            metrics.MovedElsewhere(cluster);
            // Where this node cannot reach what another one chose, this request stays with the pick; the next one moves the session.
            if (request.Find(request.Held.Destination) is { } elsewhere)
                proxy.AvailableDestinations = elsewhere;
        }

        await next(context);
    }
}
