namespace Gateway.Tokens;

/// <summary>
/// The keys of one issuer as this node has them: read when first needed, again before they grow old, and for keys not
/// seen before; one reading at a time, with a pause between. While the issuer is away the last good ones stay.
/// </summary>
internal sealed class SigningKeys(KeySource source, HttpClient http, TimeProvider time, TokensMetrics metrics, ILogger logger)
{
    // Without any keys every request waits for them, so the pause is short.
    private static readonly TimeSpan BetweenFirstReads = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private volatile KeySet? _current;
    private Task? _reading;
    private long _lastRead = -1;
    private volatile bool _lastFailed;

    public KeySource Source => source;

    /// <summary>The keys now, null before they were ever had. What is missing or old is read meanwhile; nobody waits.</summary>
    public KeySet? Current
    {
        get
        {
            RefreshIfOld();
            return _current;
        }
    }

    /// <summary>Whether the last reading failed: what is not in <see cref="Current"/> may exist nonetheless.</summary>
    public bool IsOutdated => _lastFailed;

    /// <summary>Begins to read keys that are missing or old.</summary>
    public void RefreshIfOld()
    {
        if (_current is null || time.GetElapsedTime(Volatile.Read(ref _lastRead)) >= (_lastFailed ? source.BetweenReads : source.RefreshAfter))
            _ = ReadOnceAsync();
    }

    /// <summary>The keys, read first where there are none yet.</summary>
    /// <returns>Null: they cannot be had.</returns>
    public async ValueTask<KeySet?> GetAsync()
    {
        if (Current is { } current)
            return current;
        await ReadOnceAsync();
        return _current;
    }

    /// <summary>The keys after one more reading, unless the last one was a moment ago: for a key that is not in <paramref name="seen"/>.</summary>
    public async ValueTask<KeySet?> GetNewerAsync(KeySet seen)
    {
        if (ReferenceEquals(_current, seen))
            await ReadOnceAsync();
        return _current;
    }

    private Task ReadOnceAsync()
    {
        lock (_gate)
        {
            if (_reading is { IsCompleted: false } running)
                return running;
            var pause = _current is null ? BetweenFirstReads : source.BetweenReads;
            if (_lastRead >= 0 && time.GetElapsedTime(_lastRead) < pause)
                return Task.CompletedTask;
            // Not as part of the request that happened to need it.
            return _reading = Task.Run(ReadAsync);
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            var text = await source.ReadAsync(http);
            // The same answer keeps the same object: refusals that were made with it still hold.
            if (_current?.Text != text)
                Take(text);
            _lastFailed = false;
            metrics.KeysRead(source.Place, succeeded: true);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or InvalidOperationException or IOException or UnauthorizedAccessException or FormatException)
        {
            metrics.KeysRead(source.Place, succeeded: false);
            if (!_lastFailed)
                TokensLog.KeysUnavailable(logger, source.Place, exception.GetBaseException().Message, _current?.Count ?? 0);
            _lastFailed = true;
        }
        finally
        {
            Volatile.Write(ref _lastRead, time.GetTimestamp());
        }
    }

    private void Take(string text)
    {
        _current = KeySet.Parse(text) ?? throw new FormatException("The answer holds no key for signatures.");
        TokensLog.KeysRead(logger, source.Place, _current.Count);
    }
}
