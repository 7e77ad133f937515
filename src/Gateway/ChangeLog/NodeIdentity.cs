using System.Security.Cryptography;

namespace Gateway.ChangeLog;

/// <summary>What this node is called among the others: its machine's name and a random part, new at each start.</summary>
internal sealed class NodeIdentity
{
    public string Id { get; } = $"{Environment.MachineName}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}";
}
