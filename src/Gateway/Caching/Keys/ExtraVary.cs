using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Caching.Semantics;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Gateway.Caching.Keys;

/// <summary>
/// By what a policy keeps responses apart beside the URL and the origin's <c>Vary</c>: fields, cookies, claims. It is a
/// part of the primary key, so that each group has its own responses, collapsing and variants; and hashed, so that
/// neither Redis nor a dump of memory shows who asked. Absent differs from empty, one value from two.
/// </summary>
internal sealed class ExtraVary
{
    private readonly string[] _headers;
    private readonly string[] _cookies;
    private readonly string[] _claims;
    private readonly bool _shares;
    private readonly bool _variesByCredentials;

    private ExtraVary(HttpCachePolicyOptions options)
    {
        _headers = [.. options.VaryByHeader.Select(name => name.ToLowerInvariant())];
        _cookies = [.. options.VaryByCookie];
        _claims = [.. options.VaryByClaim];
        _shares = options.Authorization == AuthorizationHandling.Share;
        _variesByCredentials = _headers.Contains("authorization");
    }

    /// <returns>Null where a policy keeps nothing apart.</returns>
    public static ExtraVary? Of(HttpCachePolicyOptions options) =>
        options.VaryByHeader.Count + options.VaryByCookie.Count + options.VaryByClaim.Count > 0 || options.Authorization == AuthorizationHandling.Share
            ? new ExtraVary(options)
            : null;

    /// <summary>
    /// Whether the policy permits what RFC 9111 §3.5 forbids, for this request: the gateway checked its credentials, or
    /// they are a part of the key. Credentials that only the origin checks would open one client's responses to all.
    /// </summary>
    public bool SharesCredentials(HttpContext context) =>
        _shares && (context.User.Identity?.IsAuthenticated == true || (_variesByCredentials && context.Request.Headers.Authorization.Count > 0));

    /// <summary>The group of a request: 44 characters that show nothing of it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="fields">Its fields as they select.</param>
    /// <param name="isShared">What <see cref="SharesCredentials"/> said: those without credentials are a group of their own.</param>
    public string GroupOf(HttpContext context, IHeaderDictionary fields, bool isShared)
    {
        var text = new StringBuilder().Append(isShared ? '+' : '-');
        foreach (var name in _headers)
        {
            var isPresent = fields.TryGetValue(name, out var lines) && lines.Count > 0;
            Append(text, isPresent ? [VaryRule.Normalize(name, lines, []).ToString()] : []);
        }

        foreach (var name in _cookies)
            Append(text, CookiesOf(context.Request.Headers[HeaderNames.Cookie], name));
        foreach (var type in _claims)
            Append(text, [.. context.User.FindAll(type).Select(claim => claim.Value).Order(StringComparer.Ordinal)]);
        return Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    // How many, and each with its length: no two lists are written alike.
    private static void Append(StringBuilder text, List<string> values)
    {
        text.Append(CultureInfo.InvariantCulture, $"{values.Count};");
        foreach (var value in values)
            text.Append(CultureInfo.InvariantCulture, $"{value.Length}:{value}");
    }

    // All of that name, since origins differ in which of them they take (RFC 6265 §4.2.1), in whatever case, and as they are
    // written: some compare names without case, and some keep white space that others do not know as such.
    private static List<string> CookiesOf(StringValues field, string name)
    {
        var values = new List<string>();
        foreach (var line in field)
        {
            foreach (var pair in (line ?? "").Split(';'))
            {
                var end = pair.IndexOf('=', StringComparison.Ordinal);
                if (pair.AsSpan(0, end < 0 ? pair.Length : end).Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
                    values.Add(pair.Trim(' ', '\t'));
            }
        }

        return values;
    }
}
