namespace Gateway.Caching.Fetch;

/// <summary>What becomes of a response's body.</summary>
/// <param name="GoesToClient">Whether the client gets it; a 304 (Not Modified) from the origin, say, is for the cache alone.</param>
/// <param name="Recording">Where it is recorded, if it is.</param>
internal readonly record struct BodyHandling(bool GoesToClient, BodyRecording? Recording);

/// <summary>
/// Stands in for the response body while a request is forwarded. Before the first byte it asks what to do, when status
/// and fields are known and the client has seen nothing. A recorded body reaches the client by way of the recording:
/// written through while the client keeps up, and else after the fetch, which waits for no client.
/// </summary>
/// <param name="client">The client's own body.</param>
/// <param name="fetch">What the response belongs to.</param>
internal sealed class RecordingStream(Stream client, IRecordedFetch fetch) : Stream
{
    private BodyHandling? _handling;
    private BodyReader? _own;
    private Task? _catchingUp;
    private bool _isPassedThrough;
    private bool _hasBody;
    private bool _isEnding;
    private bool _isBegun;
    private bool _isOutgrown;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Decides now, where it was not decided by a body.</summary>
    public BodyHandling Decide()
    {
        if (_handling is { } decided)
            return decided;
        var handling = fetch.OnHeaders();
        _handling = handling;
        if (handling is { GoesToClient: true, Recording: { } recording })
            _own = recording.TryJoin(isOwn: true, fetch.CutClient);
        return handling;
    }

    /// <summary>Says that nothing more is written, so that a response without a body is not started as one with a body.</summary>
    public void BeginEnd() => _isEnding = true;

    /// <summary>Waits until the client has what was recorded for it, once the recording has ended.</summary>
    public async Task FinishAsync()
    {
        if (_catchingUp is { } catchingUp)
            await catchingUp;
        _own?.Dispose();
        _own = null;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var handling = Decide();
        _hasBody = true;
        if (handling.Recording is { } recording && !_isPassedThrough)
        {
            var isAdded = await recording.TryAppendAsync(buffer);
            Report(recording);
            if (!isAdded)
                await PassThroughAsync(recording);
            if (_own is not null)
            {
                PassOn(_own);
                // An origin that is always ready must not keep this thread from the client: its first bytes would wait for all that is recorded.
                if (_catchingUp is { IsCompleted: false })
                    await Task.Yield();
                return;
            }
        }

        if (handling.GoesToClient)
            await client.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // Where the server allows it. Nothing waits here: of those who read an outgrown body along, who is behind is cut off.
    public override void Write(byte[] buffer, int offset, int count)
    {
        var handling = Decide();
        _hasBody = true;
        if (_catchingUp is not null)
            throw new InvalidOperationException("A body that was begun by asynchronous writes goes on by them.");
        _own?.Dispose();
        _own = null;
        if (handling.Recording is { } recording)
        {
            recording.TryAppend(buffer.AsSpan(offset, count));
            Report(recording);
        }

        if (handling.GoesToClient)
            client.Write(buffer, offset, count);
    }

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        var goesToClient = Decide().GoesToClient;
        if (!_hasBody && _isEnding)
            return Task.CompletedTask;
        Begin();
        return goesToClient && _catchingUp is null ? client.FlushAsync(cancellationToken) : Task.CompletedTask;
    }

    public override void Flush()
    {
        var goesToClient = Decide().GoesToClient;
        Begin();
        if (goesToClient && _catchingUp is null)
            client.Flush();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Begin()
    {
        if (_isBegun)
            return;
        _isBegun = true;
        fetch.OnBegun();
    }

    private void Report(BodyRecording recording)
    {
        Begin();
        if (!recording.IsOutgrown || _isOutgrown)
            return;
        _isOutgrown = true;
        fetch.OnOutgrown();
    }

    // From the recording, not from the caller's buffer: that is used again while a slow client still takes it.
    private void PassOn(BodyReader own)
    {
        if (_catchingUp is not null)
            return;
        for (var piece = own.Read(); piece.Bytes.Length > 0; piece = own.Read())
        {
            var writing = client.WriteAsync(piece.Bytes, CancellationToken.None);
            if (!writing.IsCompletedSuccessfully)
            {
                _catchingUp = CatchUpAsync(own, writing, piece.Bytes.Length);
                return;
            }

            own.Advance(piece.Bytes.Length);
        }
    }

    private async Task CatchUpAsync(BodyReader own, ValueTask writing, int count)
    {
        try
        {
            await writing;
            own.Advance(count);
            BodyPiece piece;
            for (piece = await own.ReadAsync(CancellationToken.None); piece.Bytes.Length > 0; piece = await own.ReadAsync(CancellationToken.None))
            {
                await client.WriteAsync(piece.Bytes, CancellationToken.None);
                own.Advance(piece.Bytes.Length);
            }

            if (piece.IsBroken)
                fetch.CutClient();
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // Its own connection's end; others may read along.
            fetch.CutClient();
        }
    }

    // Outgrown, and nobody else reads along or ever will: the client takes what it has not yet, and then the origin's bytes directly.
    private async Task PassThroughAsync(BodyRecording recording)
    {
        _isPassedThrough = true;
        if (_own is null)
            return;
        recording.End(isWhole: true);
        await FinishAsync();
        _catchingUp = null;
    }
}
