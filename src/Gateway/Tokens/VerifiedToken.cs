using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.ChangeLog;
using Gateway.Tokens.ApiKeys;
using Gateway.Tokens.Revocations;

namespace Gateway.Tokens;

/// <summary>A claim as strings: numbers and truth values as JSON writes them, an array as several claims.</summary>
internal sealed record TokenClaim(string Type, string Value);

/// <summary>A token that passed: what it says, and what can end it.</summary>
internal sealed class VerifiedToken
{
    private const string NameClaim = "sub";
    private const string RoleClaim = "roles";

    private readonly TokenContent _content;
    private long _unrevokedAt = -1;
    private long _unchangedAt = -1;
    private TokenSchemeOptions? _scopesSuffice;

    /// <param name="scheme">The scheme that accepted it.</param>
    /// <param name="token">The token itself, which is not kept.</param>
    /// <param name="content">What was found in it.</param>
    public VerifiedToken(TokenScheme scheme, string token, TokenContent content)
        : this(PrincipalOf(scheme.Name, content), content) =>
        RevocationIds = RevocationId.AllOf(scheme.Name, TokenRules.RevocablePart(scheme.Kind, token), Find("jti"), Find(NameClaim));

    private VerifiedToken(ClaimsPrincipal principal, TokenContent content)
    {
        _content = content;
        Principal = principal;
    }

    /// <summary>An API key.</summary>
    /// <param name="scheme">Its scheme.</param>
    /// <param name="key">Which.</param>
    /// <param name="content">What is known of it.</param>
    public static VerifiedToken OfApiKey(TokenScheme scheme, SentApiKey key, TokenContent content) =>
        new(PrincipalOf(scheme.Name, content), content) { ApiKey = key, RevocationIds = [RevocationId.OfJti(scheme.Name, key.Id)] };

    /// <summary>Shared by all requests with this token: nobody changes it.</summary>
    public ClaimsPrincipal Principal { get; }

    /// <summary>The API key that it is; null: it is a token.</summary>
    public SentApiKey? ApiKey { get; private init; }

    /// <summary>The thumbprint (RFC 7638) of the key that signed it; empty where it was not checked by a key.</summary>
    public string Key => _content.Key;

    /// <summary>When it was issued, in seconds since 1970.</summary>
    public long IssuedAt => _content.IssuedAt;

    /// <summary>Until when the result may be used without validating again.</summary>
    public DateTimeOffset UsableUntil => DateTimeOffset.FromUnixTimeMilliseconds(_content.UsableUntil);

    /// <summary>Until when it is kept, to be used while nobody can be asked about it: no longer than the token holds.</summary>
    public DateTimeOffset KeptUntil => DateTimeOffset.FromUnixTimeMilliseconds(_content.KeptUntil);

    /// <summary>What a revocation that concerns it can be filed under.</summary>
    public string[] RevocationIds { get; private init; } = [];

    /// <summary>The version of the revocations that it was compared with last and not found in.</summary>
    public long UnrevokedAt
    {
        get => Volatile.Read(ref _unrevokedAt);
        set => Volatile.Write(ref _unrevokedAt, value);
    }

    /// <summary>The options whose required scopes it was last found to have.</summary>
    public TokenSchemeOptions? ScopesSuffice
    {
        get => Volatile.Read(ref _scopesSuffice);
        set => Volatile.Write(ref _scopesSuffice, value);
    }

    /// <summary>Whether what was read of it may have changed since. What a token says never changes.</summary>
    public ChangeVerdict Check(SharedChangeLog log)
    {
        var version = log.Version;
        if (ApiKey is null || Volatile.Read(ref _unchangedAt) == version)
            return ChangeVerdict.Current;
        var verdict = ApiKey.Check(log);
        if (verdict == ChangeVerdict.Current)
            Volatile.Write(ref _unchangedAt, version);
        return verdict;
    }

    /// <summary>About how many bytes of memory it takes.</summary>
    public int Size => 512 + _content.Claims.Sum(claim => 100 + (2 * (claim.Type.Length + claim.Value.Length)));

    /// <summary>The same, usable again until <paramref name="until"/>, but not for longer than it is kept.</summary>
    public VerifiedToken Renew(DateTimeOffset until) =>
        new(Principal, _content with { UsableUntil = Math.Min(until.ToUnixTimeMilliseconds(), _content.KeptUntil) }) { RevocationIds = RevocationIds };

    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(_content, TokenJson.Default.TokenContent);

    private static ClaimsPrincipal PrincipalOf(string scheme, TokenContent content) =>
        new(new ClaimsIdentity(content.Claims.Select(claim => new Claim(claim.Type, claim.Value)), scheme, NameClaim, RoleClaim));

    private string? Find(string type) => Array.Find(_content.Claims, claim => claim.Type == type)?.Value;
}

/// <summary>What other nodes find in Redis: everything about a validated token but the token. Another shape needs another key.</summary>
/// <param name="Key">The thumbprint of the key that signed it; empty where there is none.</param>
/// <param name="IssuedAt">In seconds since 1970.</param>
/// <param name="UsableUntil">In milliseconds since 1970.</param>
/// <param name="KeptUntil">In milliseconds since 1970; see <see cref="VerifiedToken.KeptUntil"/>.</param>
/// <param name="Claims">Its claims.</param>
internal sealed record TokenContent(string Key, long IssuedAt, long UsableUntil, long KeptUntil, TokenClaim[] Claims)
{
    /// <returns>Null when <paramref name="json"/> is something else.</returns>
    public static TokenContent? Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, TokenJson.Default.TokenContent) is { Key: not null, Claims: not null } content ? content : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSerializable(typeof(TokenContent))]
internal sealed partial class TokenJson : JsonSerializerContext;
