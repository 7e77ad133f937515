using Gateway.Tokens.ApiKeys;
using Gateway.Tokens.Introspection;

namespace Gateway.Tokens;

/// <summary>Bearer tokens (RFC 6750), validated once and revocable on all nodes: the schemes that routes name by <c>AuthorizationPolicy</c>.</summary>
public sealed class TokensOptions
{
    /// <summary>The configuration section, <c>Tokens</c>.</summary>
    public const string SectionName = "Tokens";

    /// <summary>
    /// What the names of the fields begin with by which backends learn who asks. Fields that clients send with this
    /// prefix (<c>_</c> counting as <c>-</c>) are removed from every request. Begins with <c>X-</c>, ends with <c>-</c>.
    /// Default: <c>X-Auth-</c>.
    /// </summary>
    public string IdentityFieldPrefix { get; set; } = "X-Auth-";

    /// <summary>Schemes by name: 1 to 64 letters, digits, <c>-</c>, <c>_</c> or <c>.</c></summary>
    public IDictionary<string, TokenSchemeOptions> Schemes { get; } =
        new Dictionary<string, TokenSchemeOptions>(StringComparer.OrdinalIgnoreCase);
}

/// <summary>
/// A scheme: whose tokens are accepted, and what becomes of them. Signed tokens (JWT, RFC 7519) with their keys from
/// <see cref="JwksUri"/>, <see cref="Authority"/> or <see cref="JwksFile"/>, opaque ones by <see cref="Introspection"/>,
/// or <see cref="ApiKeys"/>.
/// </summary>
public sealed class TokenSchemeOptions
{
    /// <summary>
    /// The <c>iss</c> that tokens must have, compared exactly. Default, when empty: the <see cref="Authority"/>. With
    /// <see cref="Introspection"/> it may stay empty: then it is not compared.
    /// </summary>
    public string Issuer { get; set; } = "";

    /// <summary>The <c>aud</c> that tokens must have, alone or among others. With <see cref="Introspection"/> it may stay empty: then it is not compared.</summary>
    public string Audience { get; set; } = "";

    /// <summary>
    /// Where the issuer's public keys are (a JWK Set, RFC 7517): an absolute http or https URL. They are read again every
    /// 5 minutes, and for keys not seen before at most four times a minute; the last good ones stay in use while the
    /// issuer is away.
    /// </summary>
    public string JwksUri { get; set; } = "";

    /// <summary>
    /// Where the issuer describes itself (OpenID Connect Discovery 1.0): the URL to which
    /// <c>/.well-known/openid-configuration</c> is appended. Its <c>issuer</c> must be the <see cref="Issuer"/>, and its
    /// <c>jwks_uri</c> is read like a <see cref="JwksUri"/>.
    /// </summary>
    public string Authority { get; set; } = "";

    /// <summary>A file with the public keys (a JWK Set), read again within 2 s when it changes. While it cannot be read, the last good keys stay in use.</summary>
    public string JwksFile { get; set; } = "";

    /// <summary>Opaque tokens, about which the provider is asked (RFC 7662). In place of keys.</summary>
    public IntrospectionOptions Introspection { get; } = new();

    /// <summary>Keys that this gateway gives out. In place of tokens.</summary>
    public ApiKeyOptions ApiKeys { get; } = new();

    /// <summary>
    /// The signature algorithms that are accepted, of <c>RS256</c>, <c>RS384</c>, <c>RS512</c>, <c>PS256</c>,
    /// <c>PS384</c>, <c>PS512</c>, <c>ES256</c>, <c>ES384</c>, <c>ES512</c>. Default, when empty: all of these.
    /// </summary>
    public IList<string> Algorithms { get; } = [];

    /// <summary>
    /// The <c>typ</c> values that are accepted, such as <c>at+jwt</c>, <c>JWT</c>. Default, when empty: <c>at+jwt</c>
    /// (RFC 9068 §2.1), so that an ID token is no access token. <c>application/</c> before it is ignored.
    /// </summary>
    public IList<string> Types { get; } = [];

    /// <summary>Scopes that a token or key must have in <c>scope</c> (or <c>scp</c>), else the answer is 403. Default: none.</summary>
    public IList<string> RequiredScopes { get; } = [];

    /// <summary>By how much the issuer's clock may differ from this node's: 0 to 5 minutes. Default: 30 s.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the result of a validation is used, if the token does not expire before: 1 s to 1 day. Default: 5 minutes.
    /// With <see cref="Introspection"/> it is also how late a token that the provider revoked by itself is refused.
    /// </summary>
    public TimeSpan CacheDuration { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The longest time from <c>iat</c> to <c>exp</c>: tokens issued for longer are refused, because revocations are kept
    /// exactly this long. 1 minute to 90 days. Default: 1 day.
    /// </summary>
    public TimeSpan MaxLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>What a node does with tokens while it cannot know whether they were revoked. Default: <see cref="WhenRevocationUnknown.Accept"/>.</summary>
    public WhenRevocationUnknown WhenRevocationUnknown { get; set; } = WhenRevocationUnknown.Accept;

    /// <summary>The claims that backends receive as fields: at most 20. Default: none.</summary>
    public IList<ForwardedClaimOptions> Forward { get; } = [];

    /// <summary>The <c>iss</c> to compare with.</summary>
    internal string ExpectedIssuer => Issuer.Length > 0 ? Issuer : Authority;
}

/// <summary>A claim that backends receive.</summary>
public sealed class ForwardedClaimOptions
{
    /// <summary>The claim's name in the token, such as <c>sub</c>.</summary>
    public string Claim { get; set; } = "";

    /// <summary>
    /// The field that carries it; its name begins with <see cref="TokensOptions.IdentityFieldPrefix"/>. Several values are
    /// separated by commas; in a value, commas, <c>%</c> and what is not printable ASCII are percent-encoded as UTF-8.
    /// </summary>
    public string Field { get; set; } = "";
}

/// <summary>What a node does with tokens while it has no lease on the change log: when Redis is away for more than 2 s.</summary>
public enum WhenRevocationUnknown
{
    /// <summary>They are accepted unless this node knows that they were revoked.</summary>
    Accept,

    /// <summary>Requests are answered 503 with <c>Retry-After</c>.</summary>
    Deny,
}
