namespace Gateway.Caching.Fetch;

/// <summary>A copy of a body as it passes, within the policy's limit and the budget of all recordings.</summary>
internal sealed class BodyRecording(RecordingBudget budget, long maxSize, long? announcedLength) : IDisposable
{
    private const int FirstSize = 4096;

    private byte[] _bytes = [];
    private int _length;
    private long _reserved;

    /// <summary>Whether the body outgrew a limit; nothing of it is kept then.</summary>
    public bool IsAbandoned { get; private set; }

    /// <summary>Whether the whole body is here, as far as its announced length tells.</summary>
    public bool IsComplete => !IsAbandoned && (announcedLength is null || announcedLength == _length);

    /// <summary>The recorded body. The recording gives it away: it is not written to afterwards.</summary>
    public ReadOnlyMemory<byte> Body
    {
        get
        {
            if (_bytes.Length - _length > _length / 8)
                Array.Resize(ref _bytes, _length);
            return _bytes.AsMemory(0, _length);
        }
    }

    /// <summary>Reserves room for the announced length.</summary>
    /// <returns>Whether the body can be recorded.</returns>
    public bool TryBegin()
    {
        if (announcedLength > maxSize || (announcedLength is { } length && !TryGrow(length)))
            Dispose();
        return !IsAbandoned;
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (IsAbandoned)
            return;
        var needed = (long)_length + bytes.Length;
        if (needed > maxSize || (needed > _bytes.Length && !TryGrow(Math.Min(Math.Max(needed, Math.Max(FirstSize, _bytes.Length * 2L)), maxSize))))
        {
            Dispose();
            return;
        }

        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>Gives its room back to the budget.</summary>
    public void Dispose()
    {
        IsAbandoned = true;
        budget.Release(_reserved);
        _reserved = 0;
        _bytes = [];
    }

    private bool TryGrow(long size)
    {
        if (!budget.TryReserve(size - _reserved))
            return false;
        _reserved = size;
        Array.Resize(ref _bytes, (int)size);
        return true;
    }
}
