using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Sessions.Keys;

/// <summary>The certificate that encrypts DataProtection keys in Redis.</summary>
internal static class KeyCertificate
{
    /// <summary>What keeps the certificate from being used; null when nothing does, or none is configured.</summary>
    public static string? FindError(string? path, string? password)
    {
        if (string.IsNullOrEmpty(path))
            return null;
        try
        {
            using var certificate = Load(path, password);
            using var key = certificate.GetRSAPrivateKey();
            return key is null ? $"'{path}' holds no RSA private key." : null;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return $"'{path}' cannot be read: {e.Message}";
        }
    }

    public static X509Certificate2 Load(string path, string? password) => X509CertificateLoader.LoadPkcs12FromFile(path, password);
}
