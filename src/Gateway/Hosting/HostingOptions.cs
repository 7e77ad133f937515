using System.ComponentModel.DataAnnotations;

namespace Gateway.Hosting;

/// <summary>How the process starts, reports its health and stops.</summary>
public sealed class HostingOptions
{
    /// <summary>The configuration section, <c>Hosting</c>.</summary>
    public const string SectionName = "Hosting";

    /// <summary>
    /// How long the gateway goes on serving after SIGTERM while <c>/readyz</c> already answers 503, so that load
    /// balancers stop sending to it: 0 to 600 seconds, default 5.
    /// </summary>
    [Range(0, 600)]
    public int DrainSeconds { get; set; } = 5;

    /// <summary>
    /// How long running requests may take to finish after the drain; then they are cut off: 1 to 3600 seconds,
    /// default 30. A change needs a restart.
    /// </summary>
    [Range(1, 3600)]
    public int ShutdownTimeoutSeconds { get; set; } = 30;

    /// <summary>
    /// Whether <c>/healthz</c> and <c>/readyz</c> answer on the public listener too. A YARP route whose path
    /// is exactly one of these wins; a catch-all route does not. Default: true. A change needs a restart.
    /// </summary>
    public bool PublicHealth { get; set; } = true;

    /// <summary>
    /// Whether the threads that wait for sockets also do the work those bring, as in nginx, instead of handing it to the
    /// thread pool: a hit costs a quarter to a third less. Off in any case while the embedded Redis server runs. The variable
    /// <c>DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS</c>, where set, wins. Default: true. A change needs a restart.
    /// </summary>
    public bool EventLoop { get; set; } = true;
}
