using Gateway.Benchmarks.Load;
using Gateway.Benchmarks.Peers;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>Whether answers are what they should be: the speed of errors, or of something else, is worth nothing.</summary>
internal static class Verification
{
    // Fields of an answer take no more than this.
    private const int FieldsSize = 1024;

    /// <summary>Requests one URL twice, and looks at the second answer.</summary>
    /// <exception cref="BenchException">It is not as planned.</exception>
    public static async Task ProbeAsync(Peer peer, Contestant contestant, CancellationToken cancellationToken)
    {
        var plan = contestant.Plan;
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(10) };
        // With a fixed set of URLs the second answer comes from the store; without one, no two URLs are alike.
        var urls = plan.Urls is null ? new[] { $"{Guid.NewGuid():n}", $"{Guid.NewGuid():n}" } : ["0", "0"];
        using var first = await SendAsync(client, peer, plan, urls[0], cancellationToken);
        using var answer = await SendAsync(client, peer, plan, urls[1], cancellationToken);

        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        Require((int)answer.StatusCode == plan.Status, peer, contestant, $"status {(int)answer.StatusCode} instead of {plan.Status}");
        Require(plan.BodySize is null || body.Length == plan.BodySize, peer, contestant, $"a body of {body.Length} bytes instead of {plan.BodySize}");
        if (contestant.Field is var (name, contains))
        {
            var value = answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : "";
            Require(value.Contains(contains, StringComparison.Ordinal), peer, contestant, $"{name}: '{value}' instead of one with '{contains}'");
        }
    }

    /// <summary>Looks at a whole measurement: no errors, bodies of the right size, the origin asked as often as it should be.</summary>
    /// <exception cref="BenchException">It is not as planned.</exception>
    public static void Check(Peer peer, Contestant contestant, LoadResult result, long originRequests)
    {
        var plan = contestant.Plan;
        // The load generator counts every status of 400 and above as an error, also one that is as it should be.
        var errors = plan.Status >= StatusCodes.Status400BadRequest ? Math.Abs(result.Requests - result.Errors) : result.Errors;
        Require(result.Requests > 0 && errors == 0, peer, contestant, $"{errors} errors in {result.Requests} requests");
        var size = result.Bytes / result.Requests;
        Require(plan.BodySize is null || (size > plan.BodySize && size < plan.BodySize + FieldsSize), peer, contestant, $"{size} bytes per answer, for a body of {plan.BodySize}");
        if (plan.ReachesOrigin)
            Require(originRequests >= result.Requests, peer, contestant, $"the origin got {originRequests} of {result.Requests} requests, instead of all");
        else
            Require(originRequests <= result.Requests / 1000, peer, contestant, $"the origin got {originRequests} of {result.Requests} requests, instead of none");
    }

    /// <summary>Sends one request of a plan.</summary>
    public static async Task<HttpResponseMessage> SendAsync(HttpClient client, Peer peer, LoadPlan plan, string url, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{peer.Port}{plan.Prefix}{url}");
        foreach (var (name, value) in plan.Fields)
            request.Headers.TryAddWithoutValidation(name, value);
        return await client.SendAsync(request, cancellationToken);
    }

    private static void Require(bool condition, Peer peer, Contestant contestant, string problem)
    {
        if (!condition)
            throw new BenchException($"{contestant.Label} does not do what is to be measured: {problem}. What it wrote last:\n{peer.Server.RecentOutput}");
    }
}
