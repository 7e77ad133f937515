namespace Gateway.Tokens;

/// <summary>How a scheme finds out about a token.</summary>
internal enum TokenKind
{
    /// <summary>By its signature (RFC 7519).</summary>
    Jwt,

    /// <summary>By asking the provider (RFC 7662).</summary>
    Introspection,

    /// <summary>By what this gateway itself gave out.</summary>
    ApiKey,
}
