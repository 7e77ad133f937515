namespace Gateway.ShortLinks.Transfer;

/// <summary>How far an import has come: a line of its answer, about every second and at its end.</summary>
/// <param name="Line">The last line that was done with.</param>
/// <param name="Created">Links that were made.</param>
/// <param name="Unchanged">Links that were there already, just so.</param>
/// <param name="Replaced">Links that were there, and say something else now.</param>
/// <param name="Rejected">Lines that made no link.</param>
/// <param name="Done">Present in the last line: whether the whole text was read.</param>
/// <param name="Problem">Why not, where not.</param>
internal sealed record ImportProgress(long Line, long Created, long Unchanged, long Replaced, long Rejected, bool? Done = null, string? Problem = null);

/// <summary>A line that made no link.</summary>
internal sealed record ImportRejection(long Line, IReadOnlyDictionary<string, string[]> Errors);

/// <summary>
/// The answer to an import, written while it runs. Clients that read it only when they have sent everything must not
/// come to a standstill: so it stays small, however long the import is.
/// </summary>
internal sealed class ImportReport(HttpResponse response, TimeProvider time)
{
    /// <summary>How many rejected lines are named; of more, only the number is.</summary>
    public const int MaxRejections = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private long _written = time.GetTimestamp();

    public ImportProgress Progress { get; private set; } = new(0, 0, 0, 0, 0);

    public async Task RejectAsync(long line, IReadOnlyDictionary<string, string[]> errors, CancellationToken cancellationToken)
    {
        var rejected = Progress.Rejected + 1;
        if (rejected <= MaxRejections)
            await WriteAsync(new ImportRejection(line, errors), cancellationToken);
        await AdvanceAsync(progress => progress with { Rejected = rejected }, cancellationToken);
    }

    /// <summary>Notes what came of some lines, and tells it when a second has passed.</summary>
    public async Task AdvanceAsync(Func<ImportProgress, ImportProgress> advance, CancellationToken cancellationToken)
    {
        Progress = advance(Progress);
        if (time.GetElapsedTime(_written) < Interval)
            return;
        _written = time.GetTimestamp();
        await WriteAsync(Progress, cancellationToken);
    }

    /// <summary>Notes that all lines up to this one are done with.</summary>
    public void Pass(long line) => Progress = Progress with { Line = line };

    public Task EndAsync(string? problem, CancellationToken cancellationToken) =>
        WriteAsync(Progress with { Done = problem is null, Problem = problem }, cancellationToken);

    private Task WriteAsync<T>(T line, CancellationToken cancellationToken)
    {
        if (!response.HasStarted)
            response.ContentType = JsonLines.ContentType;
        return response.WriteAsync(JsonLines.Write(line), cancellationToken);
    }
}
