using System.Globalization;
using System.Text;

namespace Gateway.Caching.Semantics;

/// <summary>Writes this cache's member of the <c>Cache-Status</c> field. RFC 9211 §2.</summary>
internal static class CacheStatus
{
    public const string FieldName = "Cache-Status";

    private const string CacheName = "Gateway";

    private static readonly string[] Details = Enum.GetNames<CacheReason>().Select(ToKebabCase).ToArray();

    // A site's requests are forwarded in a few ways. The latest wins its place.
    private static readonly KnownForward?[] Known = new KnownForward?[256];

    /// <summary>The name of a reason as users see it, such as <c>request-no-cache</c>.</summary>
    public static string NameOf(CacheReason reason) => Details[(int)reason];

    /// <param name="ttl">Seconds of freshness left; negative when stale. RFC 9211 §2.6.</param>
    /// <param name="reason">Said in <c>detail</c> unless it is plain freshness.</param>
    public static string Hit(long ttl, CacheReason reason) => reason == CacheReason.Fresh
        ? string.Create(CultureInfo.InvariantCulture, $"{CacheName}; hit; ttl={ttl}")
        : string.Create(CultureInfo.InvariantCulture, $"{CacheName}; hit; ttl={ttl}; detail={NameOf(reason)}");

    /// <param name="reason">Why the request was forwarded. RFC 9211 §2.2.</param>
    /// <param name="status">The status of the response to it, if there was one. RFC 9211 §2.3.</param>
    /// <param name="isStored">Whether that response is stored. RFC 9211 §2.5.</param>
    /// <param name="isCollapsed">Whether other requests shared it. RFC 9211 §2.7.</param>
    /// <param name="detail">Why it is not stored, or why the request was forwarded where <c>fwd</c> cannot say it. RFC 9211 §2.9.</param>
    public static string Forwarded(CacheReason reason, int? status, bool isStored, bool isCollapsed, CacheReason detail)
    {
        var forward = new Forward(reason, status, isStored, isCollapsed, detail);
        ref var place = ref Known[(uint)forward.GetHashCode() % (uint)Known.Length];
        if (Volatile.Read(ref place) is { } known && known.Of == forward)
            return known.Text;
        var text = Write(forward);
        Volatile.Write(ref place, new KnownForward(forward, text));
        return text;
    }

    private static string Write(in Forward forward)
    {
        var (reason, status, isStored, isCollapsed, detail) = forward;
        var text = new StringBuilder(96).Append(CacheName).Append("; fwd=").Append(ForwardOf(reason));
        if (status is { } code)
            text.Append(CultureInfo.InvariantCulture, $"; fwd-status={code}");
        if (isCollapsed)
            text.Append("; collapsed");
        if (isStored)
            text.Append("; stored");
        var said = detail != CacheReason.None ? detail : IsSaidByForward(reason) ? CacheReason.None : reason;
        if (said != CacheReason.None)
            text.Append("; detail=").Append(NameOf(said));
        return text.ToString();
    }

    private static string ForwardOf(CacheReason reason) => reason switch
    {
        CacheReason.NotStored or CacheReason.OnlyIfCached => "uri-miss",
        CacheReason.VariantNotStored => "vary-miss",
        CacheReason.Invalidated => "miss",
        CacheReason.Method => "method",
        CacheReason.RequestNoCache or CacheReason.RequestMaxAge or CacheReason.RequestMinFresh => "request",
        CacheReason.Stale or CacheReason.ResponseNoCache or CacheReason.ChangesUnknown => "stale",
        _ => "bypass",
    };

    private static bool IsSaidByForward(CacheReason reason) =>
        reason is CacheReason.NotStored or CacheReason.VariantNotStored or CacheReason.Method or CacheReason.Stale;

    private static string ToKebabCase(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0)
                text.Append('-');
            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }

    private readonly record struct Forward(CacheReason Reason, int? Status, bool IsStored, bool IsCollapsed, CacheReason Detail);

    private sealed record KnownForward(Forward Of, string Text);
}
