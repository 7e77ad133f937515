using System.Buffers.Binary;
using System.Net;

namespace Gateway.ShortLinks;

/// <summary>What one client can hold many addresses of counts as one: an IPv4 address, or the /64 of an IPv6 address.</summary>
internal static class ClientNetwork
{
    /// <returns>A number that no other network has; 0 for clients without an address.</returns>
    public static ulong Of(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address is null || !address.TryWriteBytes(bytes, out var written))
            return 0;
        // IPv6 networks in use have bits above these 32 (RFC 4291 §2.4): the two do not meet.
        return written == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes)
            : address.IsIPv4MappedToIPv6 ? BinaryPrimitives.ReadUInt32BigEndian(bytes[12..])
            : BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }
}
