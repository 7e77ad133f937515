using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using SampleBackend.Hosting;

namespace SampleBackend.Identity;

/// <summary>The RSA key that signs tokens. Its <c>kid</c> is its thumbprint (RFC 7638), so backends with the same key agree on the name too.</summary>
internal sealed class SigningKey : IDisposable
{
    private const int Bits = 2048;
    private readonly RSA _rsa;

    public SigningKey(IOptions<IdentityOptions> options)
    {
        _rsa = options.Value.SigningKeyFile is { Length: > 0 } file ? LoadOrCreate(file) : RSA.Create(Bits);
        Key = new RsaSecurityKey(_rsa);
        Key.KeyId = Base64UrlEncoder.Encode(Key.ComputeJwkThumbprint());
    }

    public RsaSecurityKey Key { get; }

    /// <summary>The public half, for the JWKS.</summary>
    public PublicKey Public
    {
        get
        {
            var parameters = _rsa.ExportParameters(includePrivateParameters: false);
            return new PublicKey(
                "RSA", "sig", "RS256", Key.KeyId,
                Base64UrlEncoder.Encode(parameters.Modulus), Base64UrlEncoder.Encode(parameters.Exponent));
        }
    }

    public void Dispose() => _rsa.Dispose();

    private static RSA LoadOrCreate(string file)
    {
        try
        {
            if (!File.Exists(file)) Create(file);
            var rsa = RSA.Create();
            rsa.ImportFromPem(File.ReadAllText(file));
            return rsa;
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            throw new ConfigurationException(
                $"Identity:SigningKeyFile: '{file}' cannot be read or created as an RSA key in PEM: {wrong.Message} Delete the file to have a new one made.");
        }
    }

    /// <summary>Written aside and moved into place whole: of two backends that start together, one wins and both read the winner's key.</summary>
    private static void Create(string file)
    {
        var directory = Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        var aside = Path.Combine(directory.FullName, Path.GetRandomFileName());
        var access = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) access.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

        using (var rsa = RSA.Create(Bits))
        using (var stream = new FileStream(aside, access))
            stream.Write(Encoding.ASCII.GetBytes(rsa.ExportPkcs8PrivateKeyPem()));
        try
        {
            File.Move(aside, file, overwrite: false);
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
