namespace Gateway.Tokens;

/// <summary>Where a request carries its token or key.</summary>
internal static class SentToken
{
    public const string Bearer = "Bearer";

    /// <summary>The field that holds a key; null where it is Authorization.</summary>
    public static string? FieldOf(TokenScheme? scheme) =>
        scheme is { Kind: TokenKind.ApiKey, Options.ApiKeys.Field: var field } && !field.Equals("Authorization", StringComparison.OrdinalIgnoreCase) ? field : null;

    /// <returns>Null when the request has none.</returns>
    public static string? Read(TokenScheme? scheme, HttpRequest request) => TryRead(scheme, request, out var token) ? token.ToString() : null;

    /// <summary>Reads it in place.</summary>
    public static bool TryRead(TokenScheme? scheme, HttpRequest request, out ReadOnlySpan<char> token)
    {
        token = default;
        var field = FieldOf(scheme);
        var sent = field is null ? request.Headers.Authorization : request.Headers[field];
        if (sent.Count == 0)
            return false;
        // Several lines are joined by commas, empty ones too, which neither a token nor a key has: it is malformed.
        var text = (sent.Count == 1 ? sent.ToString() : string.Join(',', (string?[])sent!)).AsSpan();
        if (field is null)
            return TryReadBearer(text, out token);
        token = text.Trim(' ');
        return true;
    }

    // RFC 6750 §2.1.
    private static bool TryReadBearer(ReadOnlySpan<char> text, out ReadOnlySpan<char> token)
    {
        token = default;
        if (!text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            return false;
        var rest = text[Bearer.Length..];
        if (!rest.IsEmpty && rest[0] != ' ')
            return false;
        token = rest.Trim(' ');
        return true;
    }
}
