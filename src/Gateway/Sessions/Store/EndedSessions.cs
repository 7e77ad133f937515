using System.Globalization;
using Gateway.ChangeLog;

namespace Gateway.Sessions.Store;

/// <summary>
/// How nodes that hold connections of a session learn that it may have ended. By part of its subject's hash, since one
/// selector per sign-out would crowd other features' changes out of the log: what is told is to look, not that it ended.
/// </summary>
internal static class EndedSessions
{
    /// <summary>The kind of change.</summary>
    public const string ChangeKind = "session-ended";

    private const int Digits = 3;
    private static readonly Selector[] Buckets =
        [.. Enumerable.Range(0, 1 << (4 * Digits)).Select(bucket => Selector.Of(ChangeKind, bucket.ToString($"x{Digits}", CultureInfo.InvariantCulture)))];

    /// <param name="subject">See <see cref="SessionId.SubjectOf"/>.</param>
    public static Selector SelectorOf(string subject) =>
        Buckets[int.Parse(subject.AsSpan(0, Digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)];
}

/// <summary>Has open requests looked at as soon as sessions end, on any node.</summary>
internal sealed class EndedSessionsWatch(SharedChangeLog log, OpenRequests open) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        log.Applied += OnApplied;
        log.EpochChanged += open.Recheck;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        log.Applied -= OnApplied;
        log.EpochChanged -= open.Recheck;
        return Task.CompletedTask;
    }

    private void OnApplied(IReadOnlyList<Change> changes)
    {
        foreach (var change in changes)
        {
            if (change.Selector.TryGetValue(EndedSessions.ChangeKind, out _))
                open.Recheck();
        }
    }
}
