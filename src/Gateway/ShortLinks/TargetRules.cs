using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gateway.ShortLinks;

/// <summary>
/// What a target may be. Its text goes into <c>Location</c> as it is, and browsers are more forgiving than any parser
/// here (WHATWG URL): so what the two might read differently is refused instead of being understood.
/// </summary>
internal static class TargetRules
{
    public const int MaxLength = 2048;

    // RFC 3986 allows none of these unescaped; browsers read a backslash as a slash and drop some of the others.
    private const string Refused = "\"<>\\^`{|}";

    // Names that mean this machine or this network wherever they are looked up.
    private static readonly string[] PrivateNames = ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "localdomain", "home.arpa"];

    private static readonly IPNetwork[] PrivateNetworks =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "224.0.0.0/3",
        }.Select(IPNetwork.Parse),
    ];

    // What is reached in the Internet: RFC 4291 §2.4, without Teredo, whose addresses hold others.
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork Teredo = IPNetwork.Parse("2001::/32");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    /// <summary>Reads a target.</summary>
    /// <param name="problem">What to tell whoever wrote it, where it is refused.</param>
    public static bool TryRead(string? text, ShortLinksOptions options, [NotNullWhen(true)] out Uri? target, out string problem)
    {
        problem = FindProblem(text, options, out target);
        return problem.Length == 0;
    }

    /// <summary>Whether an address is of no use, or of harmful use, outside the network it is in.</summary>
    public static bool IsPrivate(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return PrivateNetworks.Any(network => network.Contains(address));

        // Both carry an IPv4 address: RFC 3056 §2, RFC 6052 §2.
        var bytes = address.GetAddressBytes();
        if (SixToFour.Contains(address))
            return IsPrivate(new IPAddress(bytes.AsSpan(2, 4)));
        if (Nat64.Contains(address))
            return IsPrivate(new IPAddress(bytes.AsSpan(12, 4)));
        return !GlobalUnicast.Contains(address) || Teredo.Contains(address);
    }

    /// <summary>Whether a path holds a slash, dot or line break written as several bytes: RFC 3629 §3 forbids it, and some servers decode it all the same.</summary>
    public static bool HoldsOverlong(string path)
    {
        for (var i = path.IndexOf('%', StringComparison.Ordinal); i >= 0 && i + 5 < path.Length; i = path.IndexOf('%', i + 1))
        {
            if (path[i + 3] != '%' || !TryHex(path, i + 1, out var first) || !TryHex(path, i + 4, out var second))
                continue;
            if ((first is 0xC0 or 0xC1 && second is >= 0x80 and < 0xC0) || (first == 0xE0 && second is >= 0x80 and < 0xA0) || (first == 0xF0 && second is >= 0x80 and < 0x90))
                return true;
        }

        return false;
    }

    private static string FindProblem(string? text, ShortLinksOptions options, out Uri? target)
    {
        target = null;
        if (string.IsNullOrEmpty(text))
            return "Write the URL that the link leads to.";
        if (text.Length > MaxLength)
            return $"Write at most {MaxLength} characters.";
        if (text.Any(c => c <= ' ' || c == '\x7f' || char.IsControl(c) || char.IsWhiteSpace(c) || char.IsSurrogate(c) || Refused.Contains(c, StringComparison.Ordinal)))
            return $"Escape white space, control characters and any of {Refused} as %XX.";

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var scheme = colon < 0 ? "" : text[..colon].ToLowerInvariant();
        if (scheme is not ("http" or "https") && !options.AdditionalSchemes.Contains(scheme, StringComparer.OrdinalIgnoreCase))
            return "Write an absolute URL with http or https, such as https://example.com/page.";
        if (!text.AsSpan(colon).StartsWith("://", StringComparison.Ordinal))
            return "Write :// and a host after the scheme.";

        var authority = Authority(text, colon + 3);
        if (authority.Contains('@', StringComparison.Ordinal))
            return "Leave out user names and passwords: a link is no place for them, and they hide the host.";
        if (authority.Length == 0 || authority.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_' or ':' or '[' or ']')))
            return "Write the host in ASCII letters, digits, '-' and '.'; international names as xn--….";
        if (!Uri.TryCreate(text, UriKind.Absolute, out target) || target.UserInfo.Length > 0 || !IsHost(target) || target.Port == 0)
            return "Write a URL with a host that exists, such as https://example.com/page.";
        // 010.0.0.1 is 8.0.0.1 to browsers and 10.0.0.1 to others; and 134744072 is read by nobody.
        if (target.HostNameType == UriHostNameType.IPv4 && authority.Split(':')[0] != target.Host)
            return "Write an IPv4 address as four decimal numbers without leading zeros.";
        if (HoldsEscapedControl(target.AbsolutePath))
            return "Leave out escaped control characters in the path.";
        if (HoldsOverlong(target.AbsolutePath))
            return "Escape characters of the path in the shortest form of UTF-8.";
        if (!options.AllowPrivateTargets && IsPrivate(target))
            return "Targets in a private network are not allowed here (ShortLinks:AllowPrivateTargets).";

        // Location holds ASCII: what the client would escape is escaped here, and the rest stays as it was written.
        target = text.All(char.IsAscii) ? target : new Uri(target.AbsoluteUri);
        return "";
    }

    private static string Authority(string text, int start)
    {
        var length = text.AsSpan(start).IndexOfAny('/', '?', '#');
        return length < 0 ? text[start..] : text.Substring(start, length);
    }

    // Browsers read a host that ends in a number as an IPv4 address, in any of its old spellings.
    private static bool IsHost(Uri target)
    {
        if (target.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
            return true;
        var last = target.Host.TrimEnd('.').Split('.')[^1];
        return target.HostNameType == UriHostNameType.Dns && last.Length > 0 && !last.All(char.IsAsciiDigit)
            && !last.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && !target.Host.EndsWith("..", StringComparison.Ordinal);
    }

    private static bool HoldsEscapedControl(string path)
    {
        for (var i = path.IndexOf('%', StringComparison.Ordinal); i >= 0 && i + 2 < path.Length; i = path.IndexOf('%', i + 1))
        {
            if (TryHex(path, i + 1, out var value) && value is < 0x20 or 0x7F)
                return true;
        }

        return false;
    }

    private static bool TryHex(string path, int at, out byte value) =>
        byte.TryParse(path.AsSpan(at, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);

    private static bool IsPrivate(Uri target)
    {
        if (target.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
            return IsPrivate(IPAddress.Parse(target.DnsSafeHost));
        var host = target.Host.TrimEnd('.');
        return !host.Contains('.', StringComparison.Ordinal)
            || PrivateNames.Any(name => host.EndsWith($".{name}", StringComparison.OrdinalIgnoreCase) || host.Equals(name, StringComparison.OrdinalIgnoreCase));
    }
}
