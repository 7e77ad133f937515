using System.Globalization;
using StackExchange.Redis;

namespace Gateway.ChangeLog;

/// <summary>A node as the log knows it.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="SinceLastPoll">How long ago it polled, by Redis time.</param>
/// <param name="Epoch">The epoch it had applied then.</param>
/// <param name="Number">The number it had applied then.</param>
internal sealed record KnownNode(string Id, TimeSpan SinceLastPoll, long Epoch, long Number)
{
    /// <summary>Whether it may still hold a lease: Redis counts from when the poll arrived, the node from before it was sent.</summary>
    public bool MayHoldLease => SinceLastPoll < ChangeLease.Duration;
}

/// <summary>What <c>nodes.lua</c> returns.</summary>
/// <param name="Epoch">The log's epoch.</param>
/// <param name="HasChange">Whether the log still has the change that was asked for, or began a new epoch since.</param>
/// <param name="Nodes">The nodes that polled within the last minute.</param>
internal sealed record KnownNodes(long Epoch, bool HasChange, IReadOnlyList<KnownNode> Nodes)
{
    public static KnownNodes Parse(RedisResult result)
    {
        var now = (long)result[1];
        var nodes = new List<KnownNode>();
        for (var i = 3; i + 2 < result.Length; i += 3)
        {
            var applied = ((string)result[i + 2]!).Split(' ');
            nodes.Add(new KnownNode(
                (string)result[i]!,
                TimeSpan.FromMilliseconds(Math.Max(0, now - (long)(double)result[i + 1])),
                long.Parse(applied[0], CultureInfo.InvariantCulture),
                long.Parse(applied[1], CultureInfo.InvariantCulture)));
        }

        return new KnownNodes((long)result[0], (long)result[2] == 1, nodes);
    }
}

/// <summary>How far a change has come.</summary>
/// <param name="Applied">Nodes that applied it.</param>
/// <param name="Silent">Nodes that did not, and whose lease has run out: what they do is their policy's <c>WhenChangesUnknown</c>.</param>
/// <param name="Behind">Nodes that may hold a lease and have not applied it yet.</param>
internal sealed record ChangeSpread(IReadOnlyList<string> Applied, IReadOnlyList<string> Silent, IReadOnlyList<string> Behind)
{
    public static ChangeSpread Of(ChangeReceipt receipt, KnownNodes known)
    {
        List<string> applied = [], silent = [], behind = [];
        foreach (var node in known.Nodes)
            (HasApplied(node) ? applied : node.MayHoldLease ? behind : silent).Add(node.Id);
        return new ChangeSpread(applied, silent, behind);

        // A node in a newer epoch than the change's own holds nothing from before it.
        bool HasApplied(KnownNode node) =>
            node.Epoch == known.Epoch && (node.Epoch != receipt.Epoch || node.Number >= receipt.Number);
    }
}
