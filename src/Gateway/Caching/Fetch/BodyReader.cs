namespace Gateway.Caching.Fetch;

/// <summary>One client's place in a <see cref="BodyRecording"/>. Used by one caller at a time.</summary>
internal sealed class BodyReader(BodyRecording recording, BodyBlock first, bool isOwn, Action onCut, TimeProvider time) : IDisposable
{
    // What a client is given at a time: its connection's own limits decide how much is in flight.
    private const int LargestPiece = 64 << 10;

    private BodyBlock _block = first;
    private int _offset;
    private long _lastProgress = time.GetTimestamp();
    private long _position;

    /// <summary>Whether it is the client whose request made the fetch.</summary>
    public bool IsOwn => isOwn;

    /// <summary>How much of the body the client took.</summary>
    public long Position => Volatile.Read(ref _position);

    /// <summary>When it last took something, or joined.</summary>
    public long LastProgress => Volatile.Read(ref _lastProgress);

    /// <summary>Whether it was too slow, and its connection is ended.</summary>
    public bool IsCut { get; private set; }

    /// <summary>What there is, without waiting.</summary>
    public BodyPiece Read() => recording.Read(this);

    /// <summary>What comes next; nothing and not broken at the end.</summary>
    public async ValueTask<BodyPiece> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var piece = Read();
            if (piece.More is not { } more)
                return piece;
            await more.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Says that the client took what was read last.</summary>
    public void Advance(int count)
    {
        _offset += count;
        Volatile.Write(ref _lastProgress, time.GetTimestamp());
        Volatile.Write(ref _position, _position + count);
        recording.OnProgress();
    }

    public void Dispose() => recording.Leave(this);

    /// <summary>The next piece of what is there, by the recording's leave.</summary>
    internal ReadOnlyMemory<byte> Next(ReadOnlyMemory<byte>? joined)
    {
        if (joined is { } whole)
            return whole.Slice((int)_position, (int)Math.Min(LargestPiece, whole.Length - _position));
        while (_offset == _block.Length && _block.Next is { } next)
            (_block, _offset) = (next, 0);
        return _block.Bytes.AsMemory(_offset, Math.Min(LargestPiece, _block.Length - _offset));
    }

    internal void CutOff()
    {
        IsCut = true;
        onCut();
    }
}

/// <summary>What a reader can take.</summary>
/// <param name="Bytes">The bytes; empty at the end, or where there are none yet.</param>
/// <param name="More">Completes when there is more; null where <paramref name="Bytes"/> is an answer.</param>
/// <param name="IsBroken">Whether the body ends without being whole: the client must see that.</param>
internal readonly record struct BodyPiece(ReadOnlyMemory<byte> Bytes, Task? More, bool IsBroken)
{
    public static BodyPiece Broken => new(default, null, IsBroken: true);
}
