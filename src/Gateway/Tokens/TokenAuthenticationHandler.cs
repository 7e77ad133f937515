using Microsoft.AspNetCore.Authentication;

namespace Gateway.Tokens;

/// <summary>Bearer tokens (RFC 6750) and API keys as an authentication scheme of ASP.NET Core; one per request and scheme.</summary>
internal sealed class TokenAuthenticationHandler(
    TokenSchemes schemes, TokenValidator validator, TokensMetrics metrics, ILogger<TokenAuthenticationHandler> logger) : IAuthenticationHandler
{
    private const string Bearer = "Bearer";
    private const string RetryAfterSeconds = "1";

    private string _name = "";
    private HttpContext _context = null!;
    private TokenResult? _result;

    public Task InitializeAsync(AuthenticationScheme scheme, HttpContext context)
    {
        _name = scheme.Name;
        _context = context;
        return Task.CompletedTask;
    }

    public async Task<AuthenticateResult> AuthenticateAsync()
    {
        var scheme = schemes.Find(_name);
        if (ReadToken(scheme, _context.Request) is not { } token)
        {
            metrics.Request(_name, "missing");
            return AuthenticateResult.NoResult();
        }

        var result = scheme is null
            ? TokenResult.Unavailable
            : await validator.ValidateAsync(scheme, token, _context.RequestAborted);
        _result = result;
        Note(result);
        return result.Verdict == TokenVerdict.Accepted
            ? AuthenticateResult.Success(new AuthenticationTicket(result.Token!.Principal, _name))
            : AuthenticateResult.Fail(result.Refusal.Describe(scheme?.Kind ?? TokenKind.Jwt));
    }

    /// <summary>401 as RFC 6750 §3 has it; 503 where nothing is wrong with the token as far as is known.</summary>
    public Task ChallengeAsync(AuthenticationProperties? properties)
    {
        var scheme = schemes.Find(_name);
        switch (_result)
        {
            case { Verdict: TokenVerdict.Unavailable }:
                return AnswerUnavailableAsync("The token cannot be checked at the moment.");
            case { Verdict: TokenVerdict.RevocationUnknown }:
                return AnswerUnavailableAsync("Whether the token was revoked cannot be known at the moment.");
            case { Verdict: TokenVerdict.Refused, Refusal: var refusal }:
                var description = refusal.Describe(scheme?.Kind ?? TokenKind.Jwt);
                _context.Response.Headers.WWWAuthenticate = $"{ChallengeOf(scheme)}, error=\"invalid_token\", error_description=\"{description}\"";
                return AnswerAsync(StatusCodes.Status401Unauthorized, description + ".");
            default:
                // §3.1: no error code for a request that did not try to authenticate.
                _context.Response.Headers.WWWAuthenticate = ChallengeOf(scheme);
                return AnswerAsync(StatusCodes.Status401Unauthorized, FieldOf(scheme) is { } field ? $"Send a key as '{field}: …'." : "Send a token as 'Authorization: Bearer …'.");
        }
    }

    /// <summary>403: the token is good, but lacks a scope.</summary>
    public Task ForbidAsync(AuthenticationProperties? properties)
    {
        var scheme = schemes.Find(_name);
        var required = string.Join(' ', scheme?.Options.RequiredScopes ?? []);
        _context.Response.Headers.WWWAuthenticate = $"{ChallengeOf(scheme)}, error=\"insufficient_scope\", scope=\"{required}\"";
        return AnswerAsync(StatusCodes.Status403Forbidden, $"The {(scheme?.Kind == TokenKind.ApiKey ? "key" : "token")} lacks a scope of: {required}.");
    }

    // A field of its own has no registered scheme; RFC 9110 §11.6.1 demands one, and its parameters are those of RFC 6750.
    private string ChallengeOf(TokenScheme? scheme) =>
        FieldOf(scheme) is { } field ? $"ApiKey realm=\"{_name}\", field=\"{field}\"" : $"{Bearer} realm=\"{_name}\"";

    /// <summary>The field that holds a key; null where it is Authorization.</summary>
    private static string? FieldOf(TokenScheme? scheme) =>
        scheme is { Kind: TokenKind.ApiKey, Options.ApiKeys.Field: var field } && !field.Equals("Authorization", StringComparison.OrdinalIgnoreCase) ? field : null;

    private static string? ReadToken(TokenScheme? scheme, HttpRequest request)
    {
        if (FieldOf(scheme) is not { } field)
            return ReadBearer(request);
        // Several fields are joined by commas, which no key has.
        var keys = request.Headers[field];
        return keys.Count == 0 ? null : keys.ToString().Trim(' ');
    }

    // RFC 6750 §2.1. Several fields, or another character than a token has, make it a token that is malformed.
    private static string? ReadBearer(HttpRequest request)
    {
        var field = request.Headers.Authorization;
        if (field.Count == 0)
            return null;
        var text = field.ToString();
        if (!text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            return null;
        if (text.Length == Bearer.Length)
            return "";
        return text[Bearer.Length] == ' ' ? text[(Bearer.Length + 1)..].Trim(' ') : null;
    }

    private void Note(TokenResult result)
    {
        if (result.Verdict != TokenVerdict.Refused)
        {
            metrics.Request(_name, result.Verdict switch
            {
                TokenVerdict.Accepted => "accepted",
                TokenVerdict.Unavailable => "unavailable",
                _ => "revocation_unknown",
            });
            return;
        }

        metrics.Request(_name, result.Refusal.ToString());
        TokensLog.Refused(logger, _name, result.Refusal);
    }

    private Task AnswerUnavailableAsync(string detail)
    {
        _context.Response.Headers.RetryAfter = RetryAfterSeconds;
        return AnswerAsync(StatusCodes.Status503ServiceUnavailable, detail);
    }

    private Task AnswerAsync(int status, string detail)
    {
        _context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Problem(statusCode: status, detail: detail).ExecuteAsync(_context);
    }
}
