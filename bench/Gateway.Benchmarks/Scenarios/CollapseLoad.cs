using Gateway.Benchmarks.Peers;
using Gateway.Benchmarks.Reports;
using Gateway.Benchmarks.Servers;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>
/// Crowds that want what nobody has: how often the origin is asked, and how much longer than the origin it takes. Three
/// gateways on one Redis, and a peer that is one server.
/// </summary>
internal static class CollapseLoad
{
    private const int Nodes = 3;
    // Of URLs whose answer cannot be stored each is asked for by everybody twice: that is 600 requests to the origin.
    private const int UnstoredShare = 5;

    public static async Task<Table> MeasureAsync(Scenario scenario, Field field, BenchOptions options, CancellationToken cancellationToken)
    {
        var rows = new List<IReadOnlyList<string>>();
        var checkedAnswers = 0;
        foreach (var contestant in field.Contestants)
        {
            var peer = field.PeerOf(contestant);
            var isGateway = contestant.Peer == PeerList.Gateway;
            var more = new List<ServerProcess>();
            try
            {
                var ports = new List<int> { peer.Port };
                while (isGateway && ports.Count < Nodes)
                {
                    (int Public, int Admin) added = (ServerProcess.FreePort(), ServerProcess.FreePort());
                    more.Add(await ServerProcess.StartAsync(
                        Cores.Server, added.Public, folder => GatewayServer.Command(folder, added, field.Origin, $"127.0.0.1:{peer.RedisPort}"), cancellationToken));
                    ports.Add(added.Public);
                }

                using var crowd = await Crowd.GatherAsync(ports, cancellationToken);
                // Code that runs for the first time is no measure.
                await AskAsync(crowd, Math.Max(3, options.Keys / 5), hangsUp: false, cancellationToken);
                rows.AddRange(Rows(contestant.Label, await AskAsync(crowd, options.Keys, hangsUp: false, cancellationToken)));
                rows.AddRange(Rows($"{contestant.Label}, the first hangs up", await AskAsync(crowd, options.Keys, hangsUp: true, cancellationToken)));
                rows.AddRange(await UnstoredAsync(crowd, contestant.Label, Math.Max(1, isGateway ? options.Keys / UnstoredShare : 1), cancellationToken));
                if (isGateway)
                    checkedAnswers = await MixAsync(crowd, options.Answers, cancellationToken);
            }
            finally
            {
                foreach (var server in more)
                    await server.DisposeAsync();
            }
        }

        return new Table(
            ["", "URLs", "origin requests per URL", "ms median", "p95", "p99"],
            rows,
            $"""
            {Crowd.Clients} clients with open connections, the origin takes {Crowd.OriginTime.TotalMilliseconds:f0} ms. Milliseconds are those after the origin sent the answer, and for `no-store` those beyond the origin's time: after a new URL's first answer, which tells that nobody else can use it, and after the request where the URL is known. The servers share one core, the clients, the origin and Redis the other.

            Of {checkedAnswers:n0} answers more (public, by language, private, not storable, with credentials; all at the same time) none was private to another or wrong.
            """);
    }

    private static async Task<int> MixAsync(Crowd crowd, int answers, CancellationToken cancellationToken)
    {
        var wrong = await crowd.MixAsync(answers, cancellationToken);
        return wrong == 0 ? answers : throw new BenchException($"Of {answers} answers {wrong} were another's or wrong.");
    }

    private static async Task<List<Meeting>> AskAsync(Crowd crowd, int keys, bool hangsUp, CancellationToken cancellationToken)
    {
        var meetings = new List<Meeting>();
        for (var i = 0; i < keys; i++)
        {
            var path = NewPath(SlowContent.Shared);
            meetings.Add(hangsUp
                ? await crowd.AskAndHangUpAsync(path, leader: i % Crowd.Clients, cancellationToken)
                : await crowd.AskAsync(path, isPrivate: false, cancellationToken));
        }

        return meetings;
    }

    private static async Task<IReadOnlyList<IReadOnlyList<string>>> UnstoredAsync(Crowd crowd, string label, int keys, CancellationToken cancellationToken)
    {
        var origin = Crowd.OriginTime.TotalMilliseconds;
        List<double> first = [], again = [];
        for (var i = 0; i < keys; i++)
        {
            var path = NewPath(SlowContent.NotStored);
            first.AddRange((await crowd.AskAsync(path, isPrivate: true, cancellationToken)).AfterFirstAnswer.Select(time => time - origin));
            again.AddRange((await crowd.AskAsync(path, isPrivate: true, cancellationToken)).Times.Select(time => time - origin));
        }

        return [Row($"{label}, no-store, new", keys, "", first), Row($"{label}, no-store, known", keys, "", again)];
    }

    private static string NewPath(string kind) => SlowContent.PathOf(Crowd.OriginTime, kind, Guid.NewGuid().ToString("n"));

    private static IEnumerable<IReadOnlyList<string>> Rows(string label, List<Meeting> meetings)
    {
        var (least, most) = (meetings.Min(meeting => meeting.OriginRequests), meetings.Max(meeting => meeting.OriginRequests));
        var requests = least == most ? $"{least}" : $"{least}–{most}";
        yield return Row($"{label}, same node", meetings.Count, requests, [.. meetings.SelectMany(meeting => meeting.AfterOrigin(onLeadersNode: true))]);
        List<double> others = [.. meetings.SelectMany(meeting => meeting.AfterOrigin(onLeadersNode: false))];
        if (others.Count > 0)
            yield return Row($"{label}, other nodes", meetings.Count, requests, others);
    }

    private static IReadOnlyList<string> Row(string label, int keys, string requests, List<double> times) =>
    [
        label,
        $"{keys}",
        requests,
        RequestTable.Format(RequestTable.Median(times), "f1"),
        RequestTable.Format(RequestTable.Quantile(times, 0.95), "f1"),
        RequestTable.Format(RequestTable.Quantile(times, 0.99), "f1"),
    ];
}
