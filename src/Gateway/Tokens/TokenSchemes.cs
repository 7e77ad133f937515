using System.Collections.Frozen;
using Microsoft.Extensions.Options;

namespace Gateway.Tokens;

/// <summary>A scheme as requests use it.</summary>
/// <param name="Fingerprint">Part of every key: what was accepted under other rules is not found. Always 32 characters.</param>
/// <param name="Keys">The issuer's keys, where tokens are checked by keys.</param>
/// <param name="Counts">What became of its requests.</param>
internal sealed record TokenScheme(string Name, TokenKind Kind, TokenSchemeOptions Options, string Fingerprint, SigningKeys? Keys, TokenCounts Counts);

/// <summary>The schemes of the running configuration, and the keys of their issuers.</summary>
internal sealed class TokenSchemes : IDisposable
{
    private const int MaxKeySetBytes = 256 * 1024;
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly TokensMetrics _metrics;
    private readonly ILogger<SigningKeys> _logger;
    private readonly IDisposable? _subscription;
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        // A redirect would let the issuer's host choose where else keys come from.
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = ReadTimeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = ReadTimeout,
        MaxResponseContentBufferSize = MaxKeySetBytes,
    };

    private FrozenDictionary<string, TokenScheme> _schemes = FrozenDictionary<string, TokenScheme>.Empty;

    public TokenSchemes(IOptionsMonitor<TokensOptions> options, TimeProvider time, TokensMetrics metrics, ILogger<SigningKeys> logger)
    {
        _time = time;
        _metrics = metrics;
        _logger = logger;
        _schemes = Build(options.CurrentValue);
        _subscription = options.OnChange(changed => _schemes = Build(changed));
    }

    public IReadOnlyCollection<TokenScheme> All => _schemes.Values;

    public TokenScheme? Find(string? name) => name is not null && _schemes.TryGetValue(name, out var scheme) ? scheme : null;

    public void Dispose()
    {
        _subscription?.Dispose();
        _http.Dispose();
    }

    private FrozenDictionary<string, TokenScheme> Build(TokensOptions options)
    {
        // Keys outlive a reload: otherwise an edit while the issuer is away would lose the last good ones.
        var keys = _schemes.Values.Select(scheme => scheme.Keys).OfType<SigningKeys>().DistinctBy(known => known.Source.Id)
            .ToDictionary(known => known.Source.Id, StringComparer.Ordinal);
        return options.Schemes.ToFrozenDictionary(scheme => scheme.Key, scheme => Build(scheme.Key, scheme.Value, keys), StringComparer.OrdinalIgnoreCase);
    }

    private TokenScheme Build(string name, TokenSchemeOptions options, Dictionary<string, SigningKeys> keys)
    {
        var kind = options.ApiKeys.Enabled ? TokenKind.ApiKey : options.Introspection.Endpoint.Length > 0 ? TokenKind.Introspection : TokenKind.Jwt;
        var signingKeys = kind == TokenKind.Jwt ? KeysOf(KeySource.Of(options), keys) : null;
        return new TokenScheme(name, kind, options, FingerprintOf(name, kind, options), signingKeys, _metrics.Of(name));
    }

    private SigningKeys KeysOf(KeySource source, Dictionary<string, SigningKeys> known)
    {
        if (!known.TryGetValue(source.Id, out var keys))
            known[source.Id] = keys = new SigningKeys(source, _http, _time, _metrics, _logger);
        return keys;
    }

    private static string FingerprintOf(string name, TokenKind kind, TokenSchemeOptions options) => TokenHash.Of(
        name.ToLowerInvariant(), kind.ToString(), options.Issuer, options.Audience, options.JwksUri, options.Authority, options.JwksFile,
        options.Introspection.Endpoint, options.Introspection.ClientId, options.Introspection.TokenTypeHint, options.ApiKeys.Prefix, string.Join(' ', options.Algorithms),
        string.Join(' ', options.Types), options.MaxLifetime.ToString(), options.CacheDuration.ToString());
}
