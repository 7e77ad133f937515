using System.Text;
using Microsoft.Extensions.Options;

namespace Gateway.Tokens;

/// <summary>
/// The fields by which backends learn who asks. Only the gateway speaks in them: what clients send under their prefix
/// is removed from every request before anything, routing included, can read it.
/// </summary>
internal sealed class IdentityFields : IDisposable
{
    private const string UpperHex = "0123456789ABCDEF";

    private readonly TokenSchemes _schemes;
    private readonly IDisposable? _subscription;
    private volatile string _prefix;

    public IdentityFields(IOptionsMonitor<TokensOptions> options, TokenSchemes schemes)
    {
        _schemes = schemes;
        _prefix = options.CurrentValue.IdentityFieldPrefix;
        _subscription = options.OnChange(changed => _prefix = changed.IdentityFieldPrefix);
    }

    /// <summary>Removes what a client sent.</summary>
    public void Remove(IHeaderDictionary fields)
    {
        List<string>? spoofed = null;
        foreach (var field in fields)
        {
            if (HasPrefix(field.Key, _prefix))
                (spoofed ??= []).Add(field.Key);
        }

        foreach (var name in spoofed ?? [])
            fields.Remove(name);
    }

    /// <summary>Adds what the scheme that authenticated the request forwards, and takes away what is the gateway's alone.</summary>
    public void Add(HttpContext context)
    {
        if (_schemes.Find(context.User.Identity?.AuthenticationType) is not { } scheme)
            return;
        if (scheme is { Kind: TokenKind.ApiKey, Options.ApiKeys: { KeepField: false, Field: var field } })
            context.Request.Headers.Remove(field);
        foreach (var forward in scheme.Options.Forward)
        {
            var value = string.Join(",", context.User.FindAll(forward.Claim).Select(claim => Encode(claim.Value)));
            if (value.Length > 0)
                context.Request.Headers[forward.Field] = value;
        }
    }

    public void Dispose() => _subscription?.Dispose();

    /// <summary>Whether a field name begins with the prefix; backends behind CGI cannot tell <c>_</c> from <c>-</c>.</summary>
    public static bool HasPrefix(string name, string prefix)
    {
        if (name.Length < prefix.Length)
            return false;
        for (var i = 0; i < prefix.Length; i++)
        {
            var c = name[i] == '_' ? '-' : name[i];
            if (char.ToUpperInvariant(c) != char.ToUpperInvariant(prefix[i]))
                return false;
        }

        return true;
    }

    /// <summary>A claim's value as one member of a field: see <see cref="ForwardedClaimOptions.Field"/>.</summary>
    public static string Encode(string value)
    {
        if (value.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0 && value.AsSpan().IndexOfAny('%', ',') < 0)
            return value;
        var text = new StringBuilder();
        foreach (var octet in Encoding.UTF8.GetBytes(value))
        {
            // A space inside a value is fine (RFC 9110 §5.5); spaces around it would be lost, so those are encoded.
            if (octet is >= (byte)' ' and <= (byte)'~' and not (byte)'%' and not (byte)',')
                text.Append((char)octet);
            else
                text.Append('%').Append(UpperHex[octet >> 4]).Append(UpperHex[octet & 15]);
        }

        if (text[0] == ' ')
            text.Replace(" ", "%20", 0, 1);
        if (text[^1] == ' ')
            text.Replace(" ", "%20", text.Length - 1, 1);
        return text.ToString();
    }
}
