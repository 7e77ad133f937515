namespace Gateway.Caching.Fetch;

/// <summary>
/// A body on its way from the origin: kept to be stored, and read along by every client that wants it, without a copy for
/// each. Within the policy's limit and the budget of all recordings anybody may join from the beginning. A body that
/// outgrows one of them is not stored and not joined any more, and those who read along go on from a window: what all
/// have read is forgotten, and who takes nothing for <see cref="Patience"/> while the others wait is cut off.
/// </summary>
internal sealed class BodyRecording(RecordingBudget budget, long maxSize, long? announcedLength, TimeProvider time) : IDisposable
{
    /// <summary>How far readers of an outgrown body may be behind, in bytes; less where the budget had no room for so much.</summary>
    public const int Window = 256 << 10;

    /// <summary>For how long such a reader may take nothing while the others wait for it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const int FirstBlock = 4 << 10;
    // Below what the runtime keeps for a full collection.
    private const int LargestBlock = 64 << 10;

    private readonly Lock _gate = new();
    private readonly List<BodyReader> _readers = [];
    private BodyBlock? _first;
    private BodyBlock _last = new(0);
    private ReadOnlyMemory<byte>? _joined;
    private long _length;
    private long _reserved;
    private RecordingState _state;
    private volatile bool _isOutgrown;
    private bool _isDisposed;
    private TaskCompletionSource? _more;
    private TaskCompletionSource? _room;

    /// <summary>The body's length as the origin announced it; null where it did not.</summary>
    public long? AnnouncedLength => announcedLength;

    /// <summary>Whether the body outgrew the policy's limit or the budget: it is not stored then.</summary>
    public bool IsOutgrown => _isOutgrown;

    /// <summary>Whether it outgrew the policy's limit, as the next response will too.</summary>
    public bool IsTooLarge { get; private set; }

    /// <summary>Whether the whole body is here, as far as its announced length tells.</summary>
    public bool IsComplete => !_isOutgrown && (announcedLength is null || announcedLength == _length);

    /// <summary>Reserves room for the announced length.</summary>
    /// <returns>Whether the body can be recorded.</returns>
    public bool TryBegin()
    {
        IsTooLarge = announcedLength > maxSize;
        _isOutgrown = IsTooLarge || (announcedLength is > 0 and { } length && !TryAddBlock(length));
        _first = _last;
        return !_isOutgrown;
    }

    /// <summary>Reads along from the beginning.</summary>
    /// <param name="isOwn">Whether it is the client whose request made the fetch.</param>
    /// <param name="onCut">Ends the reader's connection, when it is cut off.</param>
    /// <returns>Null where the beginning is not kept any more.</returns>
    public BodyReader? TryJoin(bool isOwn, Action onCut)
    {
        lock (_gate)
        {
            if (_first is null)
                return null;
            var reader = new BodyReader(this, _first, isOwn, onCut, time);
            _readers.Add(reader);
            return reader;
        }
    }

    /// <summary>Adds what came from the origin. Once the body is outgrown, waits for those who are too far behind.</summary>
    /// <returns>Whether it was added; it is not where the body is outgrown and nobody but the own client reads along.</returns>
    public async ValueTask<bool> TryAppendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (TryRecord(bytes.Span))
            return true;
        await MakeRoomAsync();
        return TryAddToWindow(bytes.Span);
    }

    /// <summary>As <see cref="TryAppendAsync"/>, without waiting: who is too far behind is cut off.</summary>
    public bool TryAppend(ReadOnlySpan<byte> bytes)
    {
        if (TryRecord(bytes))
            return true;
        lock (_gate)
            CutOff(_readers.Where(IsBehind));
        return TryAddToWindow(bytes);
    }

    /// <summary>Says that nothing more comes.</summary>
    /// <param name="isWhole">Whether the origin sent the body to its end; the first call counts.</param>
    public void End(bool isWhole)
    {
        lock (_gate)
        {
            if (_state == RecordingState.Running)
                _state = isWhole ? RecordingState.Whole : RecordingState.Broken;
            Wake(ref _more);
        }
    }

    /// <summary>The complete body in one piece, which is not written to afterwards and takes the place of what was recorded.</summary>
    public ReadOnlyMemory<byte> Join()
    {
        lock (_gate)
        {
            if (_first == _last && _last.Bytes.Length - _last.Length <= _last.Length / 8)
            {
                _joined = _last.Bytes.AsMemory(0, _last.Length);
                return _joined.Value;
            }

            var whole = GC.AllocateUninitializedArray<byte>((int)_length);
            var position = 0;
            for (var block = _first; block is not null; position += block.Length, block = block.Next)
                block.Bytes.AsSpan(0, block.Length).CopyTo(whole.AsSpan(position));
            _joined = whole;
            return whole;
        }
    }

    /// <summary>Says that the joined body is the store's memory now, however long it is read.</summary>
    public void HandOver()
    {
        lock (_gate)
        {
            _first = null;
            _last = new BodyBlock(0);
            Release();
        }
    }

    /// <summary>Ends what was not ended. The room goes back to the budget when nobody reads along any more.</summary>
    public void Dispose()
    {
        End(isWhole: false);
        lock (_gate)
        {
            _isDisposed = true;
            if (_readers.Count == 0)
                Release();
        }
    }

    /// <summary>What a reader can take next.</summary>
    internal BodyPiece Read(BodyReader reader)
    {
        lock (_gate)
        {
            if (reader.IsCut)
                return BodyPiece.Broken;
            if (reader.Position < _length)
                return new BodyPiece(reader.Next(_joined), null, false);
            if (_state == RecordingState.Whole || _length == announcedLength)
                return default;
            if (_state == RecordingState.Broken)
                return BodyPiece.Broken;
            _more ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new BodyPiece(default, _more.Task, false);
        }
    }

    internal void OnProgress()
    {
        if (!_isOutgrown)
            return;
        lock (_gate)
            Wake(ref _room);
    }

    internal void Leave(BodyReader reader)
    {
        lock (_gate)
        {
            _readers.Remove(reader);
            Wake(ref _room);
            if (_isDisposed && _readers.Count == 0)
                Release();
        }
    }

    private static void Wake(ref TaskCompletionSource? waiting)
    {
        waiting?.TrySetResult();
        waiting = null;
    }

    private bool TryRecord(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (!_isOutgrown && TryMakeBlock(bytes.Length))
            {
                Write(bytes);
                return true;
            }

            // Nobody joins from here on, so that what all have read can be forgotten.
            (_isOutgrown, _first) = (true, null);
            return false;
        }
    }

    // Room for all of it, or none: the last block's, and a new one's.
    private bool TryMakeBlock(int size)
    {
        IsTooLarge = _length + size > maxSize;
        var missing = size - _last.Room;
        return !IsTooLarge && (missing <= 0 || TryAddBlock(Math.Max(missing, Math.Min(Math.Clamp(2 * _last.Length, FirstBlock, LargestBlock), maxSize - _length))));
    }

    private bool TryAddBlock(long size)
    {
        if (!budget.TryReserve(size))
            return false;
        _reserved += size;
        // What is left of the last block is filled first.
        _last.Next = new BodyBlock((int)size);
        if (_last.Room == 0)
            _last = _last.Next;
        return true;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _length += bytes.Length;
        while (!bytes.IsEmpty)
        {
            if (_last.Room == 0)
                _last = _last.Next ??= new BodyBlock(Math.Max(bytes.Length, LargestBlock));
            bytes = bytes[_last.Write(bytes)..];
        }

        Wake(ref _more);
    }

    private bool TryAddToWindow(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (!HasFollowers())
                return false;
            Write(bytes);
            return true;
        }
    }

    // Who is too far behind has time to go on, as long as it takes something now and then.
    private async ValueTask MakeRoomAsync()
    {
        var started = time.GetTimestamp();
        while (true)
        {
            Task room;
            TimeSpan left;
            lock (_gate)
            {
                CutOff(_readers.Where(reader => IsBehind(reader) && LeftFor(reader, started) <= TimeSpan.Zero));
                var behind = _readers.Where(IsBehind).ToArray();
                if (behind.Length == 0 || !HasFollowers())
                    return;
                left = behind.Min(reader => LeftFor(reader, started));
                _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                room = _room.Task;
            }

            try
            {
                await room.WaitAsync(left, time);
            }
            catch (TimeoutException)
            {
                // Somebody's patience is over.
            }
        }
    }

    private TimeSpan LeftFor(BodyReader reader, long started) => Patience - time.GetElapsedTime(Math.Max(started, reader.LastProgress));

    private bool HasFollowers() => _readers.Exists(static reader => !reader.IsOwn && !reader.IsCut);

    private bool IsBehind(BodyReader reader) => !reader.IsCut && _length - reader.Position > Math.Clamp(_reserved, FirstBlock, Window);

    private static void CutOff(IEnumerable<BodyReader> readers)
    {
        foreach (var reader in readers.ToArray())
            reader.CutOff();
    }

    private void Release()
    {
        budget.Release(_reserved);
        _reserved = 0;
    }
}

/// <summary>A part of a recorded body.</summary>
internal sealed class BodyBlock(int size)
{
    public byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(size);

    public int Length { get; private set; }

    public BodyBlock? Next { get; set; }

    public int Room => Bytes.Length - Length;

    /// <summary>Writes as much as there is room for.</summary>
    public int Write(ReadOnlySpan<byte> bytes)
    {
        var count = Math.Min(bytes.Length, Room);
        bytes[..count].CopyTo(Bytes.AsSpan(Length));
        Length += count;
        return count;
    }
}

internal enum RecordingState
{
    Running,
    Whole,
    Broken,
}
