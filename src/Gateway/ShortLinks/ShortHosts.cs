using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Gateway.ShortLinks;

/// <summary>Where short links are answered, so that none leads to another: such chains can be loops.</summary>
internal sealed class ShortHosts(IServer server)
{
    /// <summary>Whether <paramref name="target"/> is a short link of this gateway, as far as its own addresses and <c>ShortLinks:Hosts</c> tell.</summary>
    public bool LeadsBack(Uri target, ShortLinksOptions options) =>
        IsShortPath(target, options) && (options.Hosts.Any(host => IsAt(target, host)) || Addresses().Any(address => Listens(address, target)));

    /// <summary>
    /// Whether <paramref name="target"/> is a short link on the host that <paramref name="request"/> was sent to. Where that names no
    /// port, any is meant: a proxy before this may take TLS off, and the port that clients use is not known here.
    /// </summary>
    public static bool LeadsBack(Uri target, HttpRequest request, ShortLinksOptions options) =>
        (request.Host.Port is null || request.Host.Port == target.Port)
        && IsShortPath(target, options)
        && IsSameHost(target, request.Host.Host);

    // Proxies on the way may join slashes. Where paths are passed on, more segments can follow the slug.
    private static bool IsShortPath(Uri target, ShortLinksOptions options)
    {
        var path = target.AbsolutePath;
        ReadOnlySpan<char> left = path.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(path) : path;
        ReadOnlySpan<char> prefix = options.Prefix;
        while (TryTakeSegment(ref prefix, out var expected))
        {
            if (!TryTakeSegment(ref left, out var segment) || !segment.Equals(expected, StringComparison.OrdinalIgnoreCase))
                return false;
        }

        return TryTakeSegment(ref left, out _) && (options.ForwardPaths || !TryTakeSegment(ref left, out _));
    }

    private static bool TryTakeSegment(ref ReadOnlySpan<char> path, out ReadOnlySpan<char> segment)
    {
        path = path.TrimStart('/');
        var end = path.IndexOf('/');
        segment = end < 0 ? path : path[..end];
        path = path[segment.Length..];
        return !segment.IsEmpty;
    }

    private static bool IsAt(Uri target, string host)
    {
        var own = HostString.FromUriComponent(host);
        return IsSameHost(target, own.Host) && (own.Port is null || own.Port == target.Port);
    }

    // HostString decodes international names, and a dot at the end changes nothing (RFC 1034 §3.1).
    private static bool IsSameHost(Uri target, string host) =>
        target.IdnHost.TrimEnd('.').Equals(ToAscii(host.TrimEnd('.').TrimStart('[').TrimEnd(']')), StringComparison.OrdinalIgnoreCase);

    private static string ToAscii(string host)
    {
        if (Ascii.IsValid(host))
            return host;
        try
        {
            return new IdnMapping { AllowUnassigned = true }.GetAscii(host);
        }
        catch (ArgumentException)
        {
            // It is no name: no target has it.
            return host;
        }
    }

    private static bool Listens(string address, Uri target)
    {
        var own = BindingAddress.Parse(address);
        if (own.Port != target.Port)
            return false;
        var isAnywhere = !own.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            && (!IPAddress.TryParse(own.Host, out var ip) || ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));
        return target.IsLoopback ? isAnywhere || IsLoopback(own.Host) : target.IdnHost.Equals(own.Host, StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip));

    private IEnumerable<string> Addresses() => server.Features.Get<IServerAddressesFeature>()?.Addresses ?? Enumerable.Empty<string>();
}
