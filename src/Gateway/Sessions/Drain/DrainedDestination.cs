namespace Gateway.Sessions.Drain;

/// <summary>A destination that gets no new sessions. YARP's ids ignore case.</summary>
internal readonly record struct DrainedDestination(string Cluster, string Destination)
{
    public bool Equals(DrainedDestination other) =>
        string.Equals(Cluster, other.Cluster, StringComparison.OrdinalIgnoreCase)
        && string.Equals(Destination, other.Destination, StringComparison.OrdinalIgnoreCase);

    public override int GetHashCode() => HashCode.Combine(
        StringComparer.OrdinalIgnoreCase.GetHashCode(Cluster), StringComparer.OrdinalIgnoreCase.GetHashCode(Destination));

    /// <summary>As Redis holds it: both ids escaped, and a slash, which neither then contains.</summary>
    public static DrainedDestination? Parse(string text) => text.Split('/') is [var cluster, var destination]
        ? new DrainedDestination(Uri.UnescapeDataString(cluster), Uri.UnescapeDataString(destination))
        : null;

    public override string ToString() =>
        $"{Uri.EscapeDataString(Cluster.ToLowerInvariant())}/{Uri.EscapeDataString(Destination.ToLowerInvariant())}";
}
