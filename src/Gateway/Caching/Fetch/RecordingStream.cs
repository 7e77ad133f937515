namespace Gateway.Caching.Fetch;

/// <summary>What becomes of a response's body.</summary>
/// <param name="GoesToClient">Whether the client gets it; a 304 (Not Modified) from the origin, say, is for the cache alone.</param>
/// <param name="Recording">Where it is recorded, if it is.</param>
internal readonly record struct BodyHandling(bool GoesToClient, BodyRecording? Recording);

/// <summary>
/// Stands in for the response body while a request is forwarded. Before the first byte it asks what to do, when status
/// and fields are known and the client has seen nothing.
/// </summary>
internal sealed class RecordingStream(Stream client, Func<BodyHandling> decide) : Stream
{
    private BodyHandling? _handling;
    private bool _hasBody;
    private bool _isEnding;

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
    public BodyHandling Decide() => _handling ??= decide();

    /// <summary>Says that nothing more is written, so that a response without a body is not started as one with a body.</summary>
    public void BeginEnd() => _isEnding = true;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var handling = Decide();
        _hasBody = true;
        handling.Recording?.Append(buffer.Span);
        if (handling.GoesToClient)
            await client.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count)
    {
        var handling = Decide();
        _hasBody = true;
        handling.Recording?.Append(buffer.AsSpan(offset, count));
        if (handling.GoesToClient)
            client.Write(buffer, offset, count);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) =>
        Decide().GoesToClient && (_hasBody || !_isEnding) ? client.FlushAsync(cancellationToken) : Task.CompletedTask;

    public override void Flush()
    {
        if (Decide().GoesToClient)
            client.Flush();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
