using System.Security.Cryptography;
using System.Text;

namespace Gateway.Sessions.Store;

/// <summary>
/// A session's id as the client's protected cookie holds it: a hash of whose session it is, by which Redis Cluster keeps
/// all of a subject's sessions in one slot, and 256 random bits, which only the cookie has. Redis sees their hash.
/// </summary>
/// <param name="Subject">32 hexadecimal digits; random where the session has no subject.</param>
/// <param name="Secret">64 hexadecimal digits.</param>
internal readonly record struct SessionId(string Subject, string Secret)
{
    private const int SubjectBytes = 16;
    private const int SecretBytes = 32;

    /// <summary>What the session is called where its id must not be known.</summary>
    public string Hash => HashOf(Secret);

    public static SessionId New(string? subject) => new(
        subject is null ? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SubjectBytes)) : SubjectOf(subject),
        Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretBytes)));

    /// <summary>What stands for a subject.</summary>
    public static string SubjectOf(string subject) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(subject)).AsSpan(0, SubjectBytes));

    /// <summary>What stands for a secret.</summary>
    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    public static bool TryParse(string? text, out SessionId id)
    {
        const int subjectLength = 2 * SubjectBytes;
        id = default;
        if (text?.Length != subjectLength + (2 * SecretBytes) || !text.All(char.IsAsciiHexDigitLower))
            return false;
        id = new SessionId(text[..subjectLength], text[subjectLength..]);
        return true;
    }

    /// <summary>The id as the cookie holds it.</summary>
    public string Reveal() => Subject + Secret;

    /// <summary>Not the id, which is a secret.</summary>
    public override string ToString() => nameof(SessionId);
}
