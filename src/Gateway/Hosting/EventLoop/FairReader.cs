using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Hosting.EventLoop;

/// <summary>What a client sends, read so that its connection leaves the thread when its <see cref="Turn"/> is over.</summary>
internal sealed class FairReader(PipeReader inner) : PipeReader
{
    /// <summary>A connection middleware of Kestrel.</summary>
    public static ConnectionDelegate Wrap(ConnectionDelegate next) => connection =>
    {
        connection.Transport = new Duplex(new FairReader(connection.Transport.Input), connection.Transport.Output);
        return next(connection);
    };

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        Turn.IsOver(this) ? ReadElsewhereAsync(cancellationToken) : inner.ReadAsync(cancellationToken);

    public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

    public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    private async ValueTask<ReadResult> ReadElsewhereAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        return await inner.ReadAsync(cancellationToken);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
