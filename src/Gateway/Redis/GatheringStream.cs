using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Gateway.Redis;

/// <summary>
/// A connection to Redis that sends what many requests want in one piece. The library sends as soon as its last sending
/// is done; here a sending is done when Redis answers. What is written meanwhile goes out together, and waits for nothing:
/// Redis looks at the commands of a connection one after the other anyway.
/// </summary>
/// <remarks>Used by one writer and one reader at a time, as any stream is.</remarks>
internal sealed class GatheringStream(Socket socket, TimeProvider time) : NetworkStream(socket, ownsSocket: true), IValueTaskSource
{
    // What is gathered comes to Redis later by the way there: where that takes long, it is felt.
    private static readonly TimeSpan Near = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _answer;
    private CommandFraming _framing;
    private bool _isReading;
    private bool _isHeld;
    private bool _isNear = true;
    private long _sent;

    /// <summary>Reads as the network does, and lets the writer go on.</summary>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (_gate)
            _isReading = true;
        try
        {
            return await base.ReadAsync(buffer, cancellationToken);
        }
        finally
        {
            LetGo();
        }
    }

    /// <summary>Writes at once, and is done when something is read, or cannot be any more.</summary>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var isWhole = _framing.Add(buffer.Span);
        bool isHeld;
        lock (_gate)
        {
            if (_sent == 0)
                _sent = time.GetTimestamp();
            // Half a command is not answered, and who does not read waits for no answer.
            isHeld = _isHeld = isWhole && _isReading && _isNear;
            if (isHeld)
                _answer.Reset();
        }

        var writing = base.WriteAsync(buffer, cancellationToken);
        if (!isHeld)
            return writing;
        return writing.IsCompletedSuccessfully ? new ValueTask(this, _answer.Version) : FinishAsync(writing);
    }

    void IValueTaskSource.GetResult(short token) => _answer.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _answer.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _answer.OnCompleted(continuation, state, token, flags);

    private async ValueTask FinishAsync(ValueTask writing)
    {
        await writing;
        await new ValueTask(this, _answer.Version);
    }

    private void LetGo()
    {
        lock (_gate)
        {
            _isReading = false;
            if (_sent != 0)
                _isNear = time.GetElapsedTime(_sent) < Near;
            _sent = 0;
            if (!_isHeld)
                return;
            _isHeld = false;
        }

        _answer.SetResult(true);
    }
}
