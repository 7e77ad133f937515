using Gateway.Hosting.Configuration;

namespace Gateway.Tokens.Introspection;

/// <summary>How a provider is asked about tokens (RFC 7662): once for all nodes, until the result is used up.</summary>
public sealed class IntrospectionOptions
{
    /// <summary>The introspection endpoint: an absolute http or https URL. Default: none, and tokens are checked by keys.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>The name by which this gateway authenticates there (HTTP Basic, RFC 6749 §2.3.1).</summary>
    public string ClientId { get; set; } = "";

    /// <summary>Its secret. Better written in the environment (<c>Tokens__Schemes__…__Introspection__ClientSecret</c>) than in a file.</summary>
    [Secret]
    public string ClientSecret { get; set; } = "";

    /// <summary>The <c>token_type_hint</c> that is sent, such as <c>access_token</c>. Default: none.</summary>
    public string TokenTypeHint { get; set; } = "";

    /// <summary>How long an answer is waited for: 100 ms to 30 s. Default: 2 s. Without one the request is answered 503.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// For how long after <c>CacheDuration</c> the last result of a token is used while the provider does not answer, but
    /// never after the token has expired: 0 to 1 day. Default: 10 minutes.
    /// </summary>
    public TimeSpan UseWhileUnavailable { get; set; } = TimeSpan.FromMinutes(10);
}
