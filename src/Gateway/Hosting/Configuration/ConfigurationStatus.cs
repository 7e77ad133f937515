namespace Gateway.Hosting.Configuration;

/// <summary>What the admin listener tells about the running configuration.</summary>
/// <param name="Version">1 at start, one more with each accepted reload; 0 before anything was accepted.</param>
/// <param name="LoadedAt">When the running configuration was accepted.</param>
/// <param name="Files">The files it was read from.</param>
/// <param name="LastRejectedAt">When a reload was last refused; null when none was since the last accepted one.</param>
/// <param name="LastErrors">Why it was refused.</param>
internal sealed record ConfigurationStatus(
    int Version, DateTimeOffset? LoadedAt, IReadOnlyList<string> Files, DateTimeOffset? LastRejectedAt, IReadOnlyList<string> LastErrors);
