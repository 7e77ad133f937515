using System.Collections.Frozen;
using System.Numerics;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Tokens;

/// <summary>One public key of an issuer.</summary>
/// <param name="Thumbprint">RFC 7638: what the key is, whatever it is called.</param>
/// <param name="Id">Its <c>kid</c>, if it has one.</param>
/// <param name="Algorithm">The only algorithm it may be used with, if it says so.</param>
internal sealed record VerificationKey(SecurityKey Key, string Thumbprint, string? Id, string? Algorithm)
{
    /// <summary>Whether the key can check such a signature: a key of one family never serves the other.</summary>
    public bool Serves(string algorithm) =>
        (Algorithm is null || Algorithm == algorithm)
        && (Key is ECDsaSecurityKey ? algorithm.StartsWith("ES", StringComparison.Ordinal) : algorithm.StartsWith("RS", StringComparison.Ordinal) || algorithm.StartsWith("PS", StringComparison.Ordinal));
}

/// <summary>The keys of an issuer as one reading found them: RSA and EC keys for signatures only, never symmetric ones.</summary>
internal sealed class KeySet
{
    private const int MaxKeys = 100;

    // RFC 7518 §3.3.
    private const int MinRsaBits = 2048;

    private readonly FrozenSet<string> _thumbprints;
    private readonly VerificationKey[] _keys;

    private KeySet(string text, VerificationKey[] keys)
    {
        Text = text;
        _keys = keys;
        _thumbprints = keys.Select(key => key.Thumbprint).ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>The JSON that it was read from.</summary>
    public string Text { get; }

    public int Count => _keys.Length;

    /// <summary>Reads a JWK Set. RFC 7517 §5: keys that are not understood are passed over.</summary>
    /// <returns>Null when it holds no usable key: then it is not the issuer's answer, but something in its place.</returns>
    public static KeySet? Parse(string json)
    {
        try
        {
            var keys = new JsonWebKeySet(json).Keys.Take(MaxKeys).Select(Read).OfType<VerificationKey>().ToArray();
            return keys.Length > 0 ? new KeySet(json, keys) : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    public bool Contains(string thumbprint) => _thumbprints.Contains(thumbprint);

    /// <summary>The keys that may have signed a token: those with its <c>kid</c>, or all where it has none.</summary>
    public VerificationKey[] Find(string? id, string algorithm) =>
        Array.FindAll(_keys, key => (string.IsNullOrEmpty(id) || key.Id == id) && key.Serves(algorithm));

    private static VerificationKey? Read(JsonWebKey key)
    {
        if (key.Use is not (null or "" or "sig") || (key.KeyOps.Count > 0 && !key.KeyOps.Contains("verify")))
            return null;
        // The key itself counts, not a certificate around it.
        key.X5c.Clear();
        return JsonWebKeyConverter.TryConvertToSecurityKey(key, out var converted)
            && (converted is ECDsaSecurityKey || (converted is RsaSecurityKey rsa && IsSound(rsa)))
                ? new VerificationKey(converted, Base64UrlEncoder.Encode(converted.ComputeJwkThumbprint()), NullIfEmpty(key.Kid), NullIfEmpty(key.Alg))
                : null;
    }

    // RFC 8017 §3.1: with an exponent of 1 everybody could sign.
    private static bool IsSound(RsaSecurityKey key) =>
        key.KeySize >= MinRsaBits && new BigInteger(key.Parameters.Exponent, isUnsigned: true, isBigEndian: true) is { IsEven: false, IsOne: false };

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
