using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Sessions.Affinity;

/// <summary>
/// The cookie of a session: its random id and its destination, encrypted and authenticated. It decides alone when
/// Redis is away or empty, so it is set anew whenever the session moved.
/// </summary>
internal sealed class AffinityCookie(IDataProtectionProvider protection, TimeProvider time)
{
    private const byte Version = 1;
    private const int IdLength = 16;
    private const int MaxLength = 4096;

    private readonly IDataProtector _protector = protection.CreateProtector("Gateway.Sessions.Affinity");

    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdLength));

    /// <summary>Reads a cookie's value.</summary>
    /// <returns>Null when it is not one that a node of this gateway made for <paramref name="cluster"/>.</returns>
    public PresentedSession? Read(string value, string cluster)
    {
        if (value.Length > MaxLength || !Base64Url.IsValid(value))
            return null;
        try
        {
            return Decode(_protector.Unprotect(Base64Url.DecodeFromChars(value)), cluster);
        }
        catch (CryptographicException)
        {
            // Forged, damaged, or protected by a key that is unknown or revoked: the client chose nothing.
            return null;
        }
    }

    /// <summary>Sets the cookie on a response, with the options of the cluster; where they are silent: HttpOnly, SameSite=Lax, Secure under HTTPS.</summary>
    public void Set(HttpContext context, string cluster, SessionAffinityConfig config, in PresentedSession session)
    {
        var cookie = config.Cookie;
        context.Response.Cookies.Append(
            config.AffinityKeyName,
            Base64Url.EncodeToString(_protector.Protect(Encode(session, cluster))),
            new CookieOptions
            {
                Path = cookie?.Path ?? "/",
                Domain = cookie?.Domain,
                HttpOnly = cookie?.HttpOnly ?? true,
                SameSite = cookie?.SameSite ?? SameSiteMode.Lax,
                Secure = (cookie?.SecurePolicy ?? CookieSecurePolicy.SameAsRequest) switch
                {
                    CookieSecurePolicy.Always => true,
                    CookieSecurePolicy.None => false,
                    _ => context.Request.IsHttps,
                },
                MaxAge = cookie?.MaxAge,
                Expires = time.GetUtcNow() + cookie?.Expiration,
                IsEssential = cookie?.IsEssential ?? false,
            });
    }

    private static byte[] Encode(in PresentedSession session, string cluster)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Version);
        writer.Write(Convert.FromHexString(session.Id));
        writer.Write7BitEncodedInt64(session.Affinity.Moves);
        writer.Write(cluster);
        writer.Write(session.Affinity.Destination);
        return bytes.ToArray();
    }

    private static PresentedSession? Decode(byte[] bytes, string cluster)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        if (reader.ReadByte() != Version)
            return null;
        var id = Convert.ToHexStringLower(reader.ReadBytes(IdLength));
        var moves = reader.Read7BitEncodedInt64();
        return reader.ReadString().Equals(cluster, StringComparison.OrdinalIgnoreCase)
            ? new PresentedSession(id, new SessionAffinity(reader.ReadString(), moves))
            : null;
    }
}
