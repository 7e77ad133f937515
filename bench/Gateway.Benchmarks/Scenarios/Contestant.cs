using Gateway.Benchmarks.Load;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>A peer under a load.</summary>
/// <param name="Label">Its row in the table.</param>
/// <param name="Peer">The server, by its name in <see cref="Peers.PeerList"/>; contestants of one scenario share it.</param>
/// <param name="Plan">The load.</param>
/// <param name="Field">A field that each answer must have, and what it must contain; null: none.</param>
internal sealed record Contestant(string Label, string Peer, LoadPlan Plan, (string Name, string Contains)? Field = null);
