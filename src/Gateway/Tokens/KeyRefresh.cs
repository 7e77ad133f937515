namespace Gateway.Tokens;

/// <summary>Reads issuers' keys before requests need them: at the start, and when they grow old, whether or not anybody asks.</summary>
internal sealed class KeyRefresh(TokenSchemes schemes, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                foreach (var scheme in schemes.All)
                    scheme.Keys?.RefreshIfOld();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }
}
