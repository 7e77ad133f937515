using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using SampleBackend.Hosting;

namespace SampleBackend.Identity;

/// <summary>
/// The RSA keys of the provider: the first signs, the one before it is still published, so that its tokens live on. A
/// <c>kid</c> is a thumbprint (RFC 7638), so backends with the same keys agree on the names too. Backends that share a
/// key file share rotations.
/// </summary>
internal sealed class SigningKeys
{
    private const int Bits = 2048;
    private const int MaxKeys = 2;

    private readonly Lock _gate = new();
    private readonly string? _file;
    private RsaSecurityKey[] _keys;
    private DateTime _written;

    public SigningKeys(IOptions<IdentityOptions> options)
    {
        _file = options.Value.SigningKeyFile is { Length: > 0 } file ? file : null;
        _keys = _file is null ? [NewKey()] : LoadOrCreate(_file);
    }

    /// <summary>The key that signs, first, and those whose tokens are good too.</summary>
    public IReadOnlyList<RsaSecurityKey> All
    {
        get
        {
            lock (_gate)
            {
                // Another backend may have rotated them.
                if (_file is not null && File.GetLastWriteTimeUtc(_file) != _written)
                    _keys = LoadOrCreate(_file);
                return _keys;
            }
        }
    }

    /// <summary>The public halves, for the JWKS.</summary>
    public PublicKey[] Public => [.. All.Select(Describe)];

    /// <summary>Begins to sign with a new key. The one before stays published, the one before that does not.</summary>
    public void Rotate()
    {
        lock (_gate)
        {
            _keys = [NewKey(), .. All.Take(MaxKeys - 1)];
            if (_file is null) return;
            Write(_file, _keys, overwrite: true);
            _written = File.GetLastWriteTimeUtc(_file);
        }
    }

    private static PublicKey Describe(RsaSecurityKey key)
    {
        var parameters = key.Rsa.ExportParameters(includePrivateParameters: false);
        return new PublicKey("RSA", "sig", "RS256", key.KeyId, Base64UrlEncoder.Encode(parameters.Modulus), Base64UrlEncoder.Encode(parameters.Exponent));
    }

    private static RsaSecurityKey NewKey() => Named(RSA.Create(Bits));

    private static RsaSecurityKey Named(RSA rsa)
    {
        var key = new RsaSecurityKey(rsa);
        key.KeyId = Base64UrlEncoder.Encode(key.ComputeJwkThumbprint());
        return key;
    }

    private RsaSecurityKey[] LoadOrCreate(string file)
    {
        try
        {
            if (!File.Exists(file)) Write(file, [NewKey()], overwrite: false);
            _written = File.GetLastWriteTimeUtc(file);
            return Read(File.ReadAllText(file));
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            throw new ConfigurationException(
                $"Identity:SigningKeyFile: '{file}' cannot be read or created as RSA keys in PEM: {wrong.Message} Delete the file to have a new one made.");
        }
    }

    private static RsaSecurityKey[] Read(string text)
    {
        var keys = new List<RsaSecurityKey>();
        for (var rest = text.AsSpan(); PemEncoding.TryFind(rest, out var found); rest = rest[found.Location.End..])
        {
            var rsa = RSA.Create();
            rsa.ImportFromPem(rest[found.Location]);
            keys.Add(Named(rsa));
        }

        return keys.Count > 0 ? [.. keys] : throw new CryptographicException("It holds no PEM.");
    }

    /// <summary>Written aside and moved into place whole: of two backends that start together, one wins and both read the winner's key.</summary>
    private static void Write(string file, IEnumerable<RsaSecurityKey> keys, bool overwrite)
    {
        var directory = Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        var aside = Path.Combine(directory.FullName, Path.GetRandomFileName());
        var access = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) access.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

        using (var stream = new FileStream(aside, access))
            stream.Write(Encoding.ASCII.GetBytes(string.Join('\n', keys.Select(key => key.Rsa.ExportPkcs8PrivateKeyPem()))));
        try
        {
            File.Move(aside, file, overwrite);
        }
        catch (IOException) when (File.Exists(file))
        {
            File.Delete(aside);
        }
    }
}

/// <summary>One key of a JWKS (RFC 7517 §4, RFC 7518 §6.3.1).</summary>
internal sealed record PublicKey(string Kty, string Use, string Alg, string Kid, string N, string E);

internal sealed record KeySet(PublicKey[] Keys);
