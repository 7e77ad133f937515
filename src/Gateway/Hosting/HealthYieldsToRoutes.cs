using Microsoft.AspNetCore.Routing.Matching;

namespace Gateway.Hosting;

/// <summary>Marks the gateway's own health endpoints.</summary>
internal sealed class HealthMetadata;

/// <summary>
/// Lets a configured route that names exactly <c>/healthz</c> or <c>/readyz</c> win over the gateway's own; without
/// this the two would be ambiguous. A catch-all route does not name them: there routing prefers the literal path.
/// </summary>
internal sealed class HealthYieldsToRoutes : MatcherPolicy, IEndpointSelectorPolicy
{
    public override int Order => 0;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => endpoints.Any(IsHealth);

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        for (var i = 0; i < candidates.Count; i++)
        {
            if (IsHealth(candidates[i].Endpoint) && HasEqual(candidates, i))
                candidates.SetValidity(i, false);
        }

        return Task.CompletedTask;
    }

    private static bool HasEqual(CandidateSet candidates, int health)
    {
        for (var i = 0; i < candidates.Count; i++)
        {
            if (i != health && candidates.IsValidCandidate(i) && candidates[i].Score == candidates[health].Score)
                return true;
        }

        return false;
    }

    private static bool IsHealth(Endpoint endpoint) => endpoint.Metadata.GetMetadata<HealthMetadata>() is not null;
}
