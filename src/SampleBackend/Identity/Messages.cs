using System.Text.Json.Serialization;

namespace SampleBackend.Identity;

/// <summary>RFC 6749 §5.1.</summary>
internal sealed record TokenAnswer(
    [property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("token_type")] string TokenType,
    [property: JsonPropertyName("expires_in")] long ExpiresIn,
    [property: JsonPropertyName("scope")] string Scope);

/// <summary>RFC 6749 §5.2.</summary>
internal sealed record TokenError(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("error_description")] string Description);

/// <summary>RFC 7662 §2.2, and the plan.</summary>
internal sealed record Introspection(
    [property: JsonPropertyName("active")] bool Active,
    [property: JsonPropertyName("scope")] string? Scope = null,
    [property: JsonPropertyName("client_id")] string? ClientId = null,
    [property: JsonPropertyName("token_type")] string? TokenType = null,
    [property: JsonPropertyName("exp")] long? ExpiresAt = null,
    [property: JsonPropertyName("iat")] long? IssuedAt = null,
    [property: JsonPropertyName("sub")] string? Subject = null,
    [property: JsonPropertyName("aud")] string? Audience = null,
    [property: JsonPropertyName("iss")] string? Issuer = null,
    [property: JsonPropertyName("jti")] string? TokenId = null,
    [property: JsonPropertyName("plan")] string? Plan = null);

internal sealed record IntrospectionCount(long Count);

/// <summary>OpenID Connect Discovery §3 and RFC 8414 §2, as far as this provider goes.</summary>
internal sealed record ProviderMetadata(
    [property: JsonPropertyName("issuer")] string Issuer,
    [property: JsonPropertyName("jwks_uri")] string JwksUri,
    [property: JsonPropertyName("token_endpoint")] string TokenEndpoint,
    [property: JsonPropertyName("introspection_endpoint")] string IntrospectionEndpoint,
    [property: JsonPropertyName("grant_types_supported")] string[] GrantTypes,
    [property: JsonPropertyName("token_endpoint_auth_methods_supported")] string[] AuthMethods,
    [property: JsonPropertyName("response_types_supported")] string[] ResponseTypes,
    [property: JsonPropertyName("subject_types_supported")] string[] SubjectTypes,
    [property: JsonPropertyName("id_token_signing_alg_values_supported")] string[] SigningAlgorithms);
