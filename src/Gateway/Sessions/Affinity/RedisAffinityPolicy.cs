using System.Collections.Frozen;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.SessionAffinity;

namespace Gateway.Sessions.Affinity;

/// <summary>
/// YARP's session affinity policy <c>Redis</c>. (1) The request says which session it belongs to; (2) memory, Redis or
/// the cookie says where that is; (3) if the destination can take requests, it does; if not, YARP's failure policy
/// decides, and <see cref="AffinityMoveMiddleware"/> records what load balancing picks; (4) the response brings a
/// client its cookie when it has none, or an outdated one.
/// </summary>
internal sealed class RedisAffinityPolicy : ISessionAffinityPolicy, IDisposable
{
    private readonly AffinityRecords _records;
    private readonly AffinityCookie _cookie;
    private readonly SessionsMetrics _metrics;
    private readonly IDisposable? _subscription;
    private FrozenDictionary<string, AffinityKeySource> _sources;

    public RedisAffinityPolicy(AffinityRecords records, AffinityCookie cookie, SessionsMetrics metrics, IOptionsMonitor<SessionsOptions> options)
    {
        _records = records;
        _cookie = cookie;
        _metrics = metrics;
        _sources = SourcesOf(options.CurrentValue);
        _subscription = options.OnChange(changed => _sources = SourcesOf(changed));
    }

    public string Name => "Redis";

    public async ValueTask<AffinityResult> FindAffinitizedDestinationsAsync(
        HttpContext context, ClusterState cluster, SessionAffinityConfig config, IReadOnlyList<DestinationState> destinations, CancellationToken cancellationToken)
    {
        // 1.
        if (Present(context, cluster.ClusterId, config) is not { } session)
            return new AffinityResult(null, AffinityStatus.AffinityKeyNotSet);

        // 2.
        return Choose(context, cluster, session, await _records.FindAsync(session, cancellationToken), destinations);
    }

    /// <summary>Like the asynchronous one, by the cookie alone.</summary>
    public AffinityResult FindAffinitizedDestinations(
        HttpContext context, ClusterState cluster, SessionAffinityConfig config, IReadOnlyList<DestinationState> destinations) =>
        Present(context, cluster.ClusterId, config) is { } session
            ? Choose(context, cluster, session, session.Affinity, destinations)
            : new AffinityResult(null, AffinityStatus.AffinityKeyNotSet);

    /// <summary>Without I/O: a new session costs Redis nothing until its cookie returns.</summary>
    public void AffinitizeResponse(HttpContext context, ClusterState cluster, SessionAffinityConfig config, DestinationState destination)
    {
        // 4.
        if (SourceOf(cluster.ClusterId).Kind != AffinityKeyKind.Cookie)
            return;
        if (context.Features.Get<RequestAffinity>() is not { } request)
            _cookie.Set(context, cluster.ClusterId, config, new PresentedSession(AffinityCookie.NewId(), new SessionAffinity(destination.DestinationId, 0)));
        else if (request.CookieIsOutdated)
            _cookie.Set(context, cluster.ClusterId, config, new PresentedSession(request.Id, request.Held));
    }

    public void Dispose() => _subscription?.Dispose();

    private static FrozenDictionary<string, AffinityKeySource> SourcesOf(SessionsOptions options) => options.KeyFrom.ToFrozenDictionary(
        source => source.Key,
        source => AffinityKeySource.TryParse(source.Value, out var parsed) ? parsed : default,
        StringComparer.OrdinalIgnoreCase);

    private AffinityKeySource SourceOf(string cluster) => _sources.GetValueOrDefault(cluster);

    private PresentedSession? Present(HttpContext context, string cluster, SessionAffinityConfig config)
    {
        var source = SourceOf(cluster);
        if (source.Kind != AffinityKeyKind.Cookie)
        {
            if (source.IdOf(context, cluster) is { } id)
                return new PresentedSession(id, SessionAffinity.None);
        }
        else if (context.Request.Cookies.TryGetValue(config.AffinityKeyName, out var value) && !string.IsNullOrEmpty(value))
        {
            if (_cookie.Read(value, cluster) is { } session)
                return session;
            _metrics.RefusedKey(cluster);
            return null;
        }

        _metrics.New(cluster);
        return null;
    }

    // 3.
    private AffinityResult Choose(
        HttpContext context, ClusterState cluster, PresentedSession session, SessionAffinity held, IReadOnlyList<DestinationState> destinations)
    {
        var destination = held.IsNone ? null : RequestAffinity.Find(destinations, held.Destination);
        context.Features.Set(new RequestAffinity(session.Id, session.Affinity, held, destinations) { NeedsDestination = destination is null });
        if (destination is not null)
        {
            _metrics.Kept(cluster.ClusterId);
            return new AffinityResult(destination, AffinityStatus.OK);
        }

        if (held.IsNone)
        {
            _metrics.New(cluster.ClusterId);
            return new AffinityResult(null, AffinityStatus.AffinityKeyNotSet);
        }

        _metrics.Lost(cluster.ClusterId);
        return new AffinityResult(null, AffinityStatus.DestinationNotFound);
    }
}
