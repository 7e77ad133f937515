using Yarp.ReverseProxy.Model;

namespace Gateway.Sessions.Drain;

/// <summary>
/// Between session affinity and load balancing: takes draining destinations from what can be picked. A session that
/// belongs to one has it as its only destination by now, and keeps it; so does a cluster whose last one is draining,
/// because an answer is better than none.
/// </summary>
internal sealed class DestinationDrainMiddleware(RequestDelegate next, DrainedDestinations drained)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (!drained.IsEmpty)
            Exclude(context.GetReverseProxyFeature());
        return next(context);
    }

    private void Exclude(IReverseProxyFeature proxy)
    {
        var cluster = proxy.Cluster.Config.ClusterId;
        var all = proxy.AvailableDestinations;
        var open = all.Where(destination => !drained.Contains(cluster, destination.DestinationId)).ToArray();
        if (open.Length > 0 && open.Length < all.Count)
            proxy.AvailableDestinations = open;
    }
}
