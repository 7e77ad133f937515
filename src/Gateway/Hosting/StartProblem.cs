using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Hosting;

/// <summary>
/// Says in one line why the gateway does not start, and what to do, where the cause lies outside: a port in use, a
/// certificate that is none. A stack trace would hide both.
/// </summary>
internal static class StartProblem
{
    /// <returns>Null for what is a fault of the program.</returns>
    public static string? Explain(Exception exception, GatewayAddresses addresses) => exception switch
    {
        IOException { InnerException: AddressInUseException } => $"{exception.Message} End what listens there, or change Urls, Kestrel:Endpoints or Admin:Urls.",
        SocketException => $"{exception.Message}: one of {string.Join(", ", addresses.Public.Concat(addresses.Admin))}. "
            + "Write addresses of this machine, and ports that this user may open, in Urls, Kestrel:Endpoints and Admin:Urls.",
        CryptographicException => $"a certificate of Kestrel:Endpoints or Kestrel:Certificates cannot be read: {exception.Message} Check its Path, KeyPath and Password.",

        // Kestrel goes on about developer certificates in lines of their own.
        InvalidOperationException { Source: "Microsoft.AspNetCore.Server.Kestrel.Core" } => $"{exception.Message.Split('\n')[0].TrimEnd()} "
            + "For https write Kestrel:Certificates:Default:Path, or that of the endpoint's own certificate.",
        IOException or InvalidOperationException or FormatException or UnauthorizedAccessException => exception.Message,
        _ => null,
    };
}
