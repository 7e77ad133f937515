using Gateway.Redis;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Gateway.Hosting.EventLoop;

/// <summary>
/// Lets the threads that wait for sockets do the work those bring, as nginx's do, where .NET hands it to the thread pool:
/// a hit then needs no change of threads, which costs more than all that the gateway itself does for it. In return no
/// code on a request's way may block, and no connection may keep such a thread: see <see cref="Turn"/>.
/// </summary>
internal static class SocketThreads
{
    // System.Net.Sockets reads it once, with the first socket of the process. There is no other switch.
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Whether they do.</summary>
    public static bool DoTheWork => Environment.GetEnvironmentVariable(Variable) == "1";

    /// <summary>Decides it for this process, which must not have used a socket yet.</summary>
    public static void Configure(WebApplicationBuilder builder)
    {
        if (Environment.GetEnvironmentVariable(Variable) is null && IsWanted(builder.Configuration))
            Environment.SetEnvironmentVariable(Variable, "1");
        if (DoTheWork)
            builder.Services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = true);
    }

    /// <summary>Keeps clients' connections from holding a thread.</summary>
    public static void ShareTurns(ListenOptions endpoint)
    {
        if (DoTheWork)
            endpoint.Use(FairReader.Wrap);
    }

    /// <summary>Keeps origins' connections from holding a thread.</summary>
    public static void ShareTurns(SocketsHttpHandler origins)
    {
        if (DoTheWork)
            origins.ConnectCallback = (context, cancellationToken) => FairStream.ConnectAsync(context.DnsEndPoint, cancellationToken);
    }

    // The embedded server waits for its own writes, on the thread that could finish them.
    private static bool IsWanted(ConfigurationManager configuration) =>
        configuration.GetSection(HostingOptions.SectionName).GetValue(nameof(HostingOptions.EventLoop), true)
        && configuration.GetSection(RedisOptions.SectionName)[nameof(RedisOptions.Configuration)] is not null;
}
