using System.Globalization;
using Gateway.ChangeLog;
using Gateway.Tokens.Revocations;

namespace Gateway.Tokens;

/// <summary>The right of a request with a token: until the token is revoked, or, where the scheme says so, expires.</summary>
internal sealed class TokenGrant(VerifiedToken token, TokenSchemeOptions options, RevocationList revocations, TimeProvider time) : RequestGrant
{
    private DateTimeOffset? _ends;

    public override ValueTask<bool> IsWithdrawnAsync(CancellationToken cancellationToken) =>
        new(revocations.Covers(token) || (options.CloseAtExpiry && time.GetUtcNow() >= (_ends ??= FindEnd())));

    private DateTimeOffset FindEnd() =>
        // A NumericDate may have a fraction and an exponent (RFC 7519 §2).
        double.TryParse(token.Principal.FindFirst("exp")?.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            ? DateTimeOffset.FromUnixTimeSeconds((long)seconds) + options.ClockSkew
            : DateTimeOffset.MaxValue;
}
