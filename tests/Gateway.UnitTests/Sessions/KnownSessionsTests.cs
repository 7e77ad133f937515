using Gateway.Sessions.Affinity;

namespace Gateway.UnitTests.Sessions;

public sealed class KnownSessionsTests
{
    [Fact]
    public void Memory_is_bounded_and_sessions_in_use_stay()
    {
        var sessions = new KnownSessions();
        sessions.SetNewer("busy", Session("a", 1));
        sessions.SetNewer("idle", Session("a", 1));
        for (var i = 0; i < 2 * KnownSessions.MaxPerHalf; i++)
        {
            sessions.SetNewer($"other-{i}", Session("b", 0));
            if (i % 10_000 == 0)
                Assert.NotNull(sessions.Find("busy"));
        }

        Assert.NotNull(sessions.Find("busy"));
        Assert.Null(sessions.Find("idle"));
        var known = Enumerable.Range(0, 2 * KnownSessions.MaxPerHalf).Count(i => sessions.Find($"other-{i}") is not null);
        Assert.InRange(known, KnownSessions.MaxPerHalf - 100, 2 * KnownSessions.MaxPerHalf);
    }

    [Fact]
    public void A_late_answer_does_not_undo_a_newer_one()
    {
        var sessions = new KnownSessions();
        sessions.SetNewer("s", Session("b", 2));

        Assert.Equal("b", sessions.SetNewer("s", Session("a", 1)).Affinity.Destination);
        Assert.Equal("c", sessions.SetNewer("s", Session("c", 2)).Affinity.Destination);
    }

    [Fact]
    public async Task Of_many_moves_at_once_the_first_one_holds()
    {
        var sessions = new KnownSessions();
        sessions.SetNewer("s", Session("lost", 0));

        var moved = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(() => sessions.SetFirst("s", Session($"d{i}", 1)).Affinity)));

        Assert.Single(moved.Distinct());
        Assert.Equal(moved[0], sessions.Find("s")!.Affinity);
    }

    [Fact]
    public async Task Of_many_requests_one_takes_the_refresh_of_a_quarter()
    {
        var session = new KnownSession(new("a", 0), isRecorded: true, default, 0, refreshAt: 100);

        var early = session.TakesRefresh(99, 50);
        var due = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => session.TakesRefresh(120, 50))));

        Assert.False(early);
        Assert.Single(due, taken => taken);
        Assert.False(session.TakesRefresh(169, 50));
        Assert.True(session.TakesRefresh(170, 50));
    }

    private static KnownSession Session(string destination, long moves) => new(new(destination, moves), isRecorded: true, default, 0, 0);
}
