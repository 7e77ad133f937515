using System.Diagnostics;
using System.Globalization;
using Gateway.Benchmarks.Load;
using Gateway.Benchmarks.Servers;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>Three hundred clients with open connections to one server or several, who all want the same at the same time.</summary>
internal sealed class Crowd : IDisposable
{
    public const int Clients = 300;

    /// <summary>How long the origin takes.</summary>
    public static readonly TimeSpan OriginTime = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly IReadOnlyList<int> _ports;
    private readonly OpenConnection[] _clients = new OpenConnection[Clients];

    private Crowd(IReadOnlyList<int> ports) => _ports = ports;

    /// <param name="ports">The servers' loopback ports, which the clients share equally.</param>
    public static async Task<Crowd> GatherAsync(IReadOnlyList<int> ports, CancellationToken cancellationToken)
    {
        var crowd = new Crowd(ports);
        for (var i = 0; i < Clients; i++)
            await crowd.OpenAsync(i, cancellationToken);
        return crowd;
    }

    /// <summary>All ask for a path.</summary>
    /// <exception cref="BenchException">Somebody was not answered, or with another URL, or another's answer.</exception>
    public async Task<Meeting> AskAsync(string path, bool isPrivate, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Limit);
        var answers = await Task.WhenAll(Enumerable.Range(0, Clients).Select(i => AskAsync(i, path, isPrivate, deadline.Token)));
        return new Meeting([.. answers]);
    }

    /// <summary>One asks first, the others join, and the first hangs up while the origin is still at it.</summary>
    public async Task<Meeting> AskAndHangUpAsync(string path, int leader, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Limit);
        var hangUp = HangUpAsync(leader, path, deadline.Token);
        await Task.Delay(OriginTime / 6, deadline.Token);
        var answers = await Task.WhenAll(Enumerable.Range(0, Clients).Where(i => i != leader).Select(i => AskAsync(i, path, isPrivate: false, deadline.Token)));
        await hangUp;
        await OpenAsync(leader, cancellationToken);
        return new Meeting([.. answers]);
    }

    /// <summary>Each client asks for one thing after the other, of all kinds and all at once, until there are enough answers.</summary>
    /// <returns>How many answers were another's, or to another URL. None is right.</returns>
    public async Task<int> MixAsync(int answers, CancellationToken cancellationToken)
    {
        const int keys = 50;
        var (asked, wrong, run) = (0, 0, Guid.NewGuid().ToString("n"));
        await Task.WhenAll(_clients.Select(async (client, i) =>
        {
            for (int n; (n = Interlocked.Increment(ref asked)) <= answers;)
            {
                var (kind, fields) = (n % 5) switch
                {
                    0 => (SlowContent.Brief, ""),
                    1 => (SlowContent.ByLanguage, ""),
                    2 => (SlowContent.Private, ""),
                    3 => (SlowContent.NotStored, ""),
                    // Credentials, and nothing in the answer that permits to share it: RFC 9111 §3.5.
                    _ => (SlowContent.Brief, "Authorization: Bearer x\r\n"),
                };
                var key = string.Create(CultureInfo.InvariantCulture, $"{run}-{(n / 300) % keys}{(fields.Length > 0 ? "a" : "")}");
                var path = SlowContent.PathOf(TimeSpan.FromMilliseconds(20), kind, key);
                var (identity, language) = ($"{i}.{n}", n % 2 == 0 ? "de" : "en");
                var answer = await client.GetAsync(path, identity, language, fields, cancellationToken);
                var text = answer.Status == 200 ? AnswerText.Parse(answer.Body) : throw new BenchException($"{path} was answered {answer.Status}.");
                var isOwn = text.Identity == identity || (fields.Length == 0 && kind is SlowContent.Brief or SlowContent.ByLanguage);
                if (text.Path != path || !isOwn || (kind == SlowContent.ByLanguage && text.Language != language))
                    Interlocked.Increment(ref wrong);
            }
        }));
        return wrong;
    }

    public void Dispose()
    {
        foreach (var client in _clients)
            client?.Dispose();
    }

    private async Task OpenAsync(int i, CancellationToken cancellationToken)
    {
        var node = i % _ports.Count;
        _clients[i]?.Dispose();
        _clients[i] = await OpenConnection.OpenAsync(node, _ports[node], cancellationToken);
    }

    private async Task<CrowdAnswer> AskAsync(int i, string path, bool isPrivate, CancellationToken cancellationToken)
    {
        var identity = i.ToString(CultureInfo.InvariantCulture);
        var answer = await _clients[i].GetAsync(path, identity, "en", "", cancellationToken);
        if (answer.Status != 200)
            throw new BenchException($"{path} was answered {answer.Status}.");
        var text = AnswerText.Parse(answer.Body);
        if (text.Path != path || (isPrivate && text.Identity != identity))
            throw new BenchException($"Client {identity} asked for {path} and got '{answer.Body}'.");
        var leader = int.Parse(text.Identity, CultureInfo.InvariantCulture);
        return new CrowdAnswer(answer, text, IsLeader: leader == i, IsOnLeadersNode: leader % _ports.Count == _clients[i].Node);
    }

    private async Task HangUpAsync(int i, string path, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(OriginTime / 2);
        try
        {
            await AskAsync(i, path, isPrivate: false, patience.Token);
            throw new BenchException($"{path} was answered before its first client could hang up.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _clients[i].Dispose();
        }
    }
}

/// <summary>What all clients got for one path.</summary>
internal sealed record Meeting(IReadOnlyList<CrowdAnswer> Answers)
{
    /// <summary>How often the origin was asked.</summary>
    public int OriginRequests => Answers.Max(answer => answer.Text.Times);

    /// <summary>How long after the origin's answer each had it, in milliseconds.</summary>
    /// <param name="onLeadersNode">Whose: of those on the node that made the fetch, or of the others.</param>
    public IEnumerable<double> AfterOrigin(bool onLeadersNode) => Answers
        .Where(answer => answer.IsOnLeadersNode == onLeadersNode)
        .Select(answer => Stopwatch.GetElapsedTime(answer.Text.SentAt, answer.Answer.Received).TotalMilliseconds);

    /// <summary>How long each took, in milliseconds.</summary>
    public IEnumerable<double> Times => Answers.Select(answer => Stopwatch.GetElapsedTime(answer.Answer.Asked, answer.Answer.Received).TotalMilliseconds);

    /// <summary>How long after the first answer that the origin sent each had its own, in milliseconds; but for who got that one.</summary>
    public IEnumerable<double> AfterFirstAnswer
    {
        get
        {
            var first = Answers.Min(answer => answer.Text.SentAt);
            return Answers.Where(answer => answer.Text.SentAt != first)
                .Select(answer => Stopwatch.GetElapsedTime(first, answer.Answer.Received).TotalMilliseconds);
        }
    }
}

/// <summary>One client's answer.</summary>
/// <param name="Answer">It, with its times.</param>
/// <param name="Text">What it says.</param>
/// <param name="IsLeader">Whether it was this client's request that the origin answered.</param>
/// <param name="IsOnLeadersNode">Whether that came by the same node.</param>
internal sealed record CrowdAnswer(Answer Answer, AnswerText Text, bool IsLeader, bool IsOnLeadersNode);
