using Yarp.ReverseProxy.Model;

namespace Gateway.Sessions.Affinity;

/// <summary>What the policy found out about a request, for the steps after it.</summary>
internal sealed class RequestAffinity(string id, SessionAffinity presented, SessionAffinity held, IReadOnlyList<DestinationState> destinations)
{
    public string Id { get; } = id;

    /// <summary>Where the session belongs; <see cref="SessionAffinity.None"/> before it has been given a destination.</summary>
    public SessionAffinity Held { get; set; } = held;

    /// <summary>Whether the destination that load balancing picks is to become the session's.</summary>
    public bool NeedsDestination { get; init; }

    /// <summary>Whether the client's cookie names a destination that does not hold any more, so that it gets a new one.</summary>
    public bool CookieIsOutdated => Held != presented;

    /// <summary>The destination called <paramref name="id"/>, if it can take this request.</summary>
    public DestinationState? Find(string id) => Find(destinations, id);

    public static DestinationState? Find(IReadOnlyList<DestinationState> destinations, string id)
    {
        for (var i = 0; i < destinations.Count; i++)
        {
            if (destinations[i].DestinationId.Equals(id, StringComparison.OrdinalIgnoreCase))
                return destinations[i];
        }

        return null;
    }
}
