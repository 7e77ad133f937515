using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.ShortLinks.Passwords;

/// <summary>
/// What is kept of a password: <c>pbkdf2-sha512:iterations:salt:hash</c> in base64. Slow on purpose, so that a stolen
/// Redis gives few passwords away; salted, so that equal passwords are not seen to be.
/// </summary>
internal static class PasswordHash
{
    public const int MaxPasswordLength = 128;

    private const string Scheme = "pbkdf2-sha512";
    private const int Iterations = 210_000;
    private const int MaxIterations = 1_000_000;
    private const int MinIterations = 100_000;
    private const int SaltSize = 16;
    private const int HashSize = 32;

    public static string Create(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltSize);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Scheme}:{Iterations}:{Convert.ToBase64String(salt)}:{Convert.ToBase64String(Derive(password, salt, Iterations))}");
    }

    /// <summary>Whether <paramref name="text"/> is the hash of a password; false of what is no hash at all.</summary>
    public static bool Verify(string password, string text) =>
        TryParse(text, out var iterations, out var salt, out var hash)
        && CryptographicOperations.FixedTimeEquals(Derive(password, salt, iterations), hash);

    /// <summary>Whether it could be verified, at a bounded cost: hashes come in by imports too.</summary>
    public static bool IsWellFormed(string text) => TryParse(text, out _, out _, out _);

    private static byte[] Derive(string password, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA512, HashSize);

    private static bool TryParse(string text, out int iterations, out byte[] salt, out byte[] hash)
    {
        (iterations, salt, hash) = (0, new byte[SaltSize], new byte[HashSize]);
        return text.Split(':') is [Scheme, var count, var saltText, var hashText]
            && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out iterations) && iterations is >= MinIterations and <= MaxIterations
            && Convert.TryFromBase64String(saltText, salt, out var saltSize) && saltSize == SaltSize
            && Convert.TryFromBase64String(hashText, hash, out var hashSize) && hashSize == HashSize;
    }
}
