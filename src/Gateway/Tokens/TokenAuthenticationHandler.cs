using Microsoft.AspNetCore.Authentication;

namespace Gateway.Tokens;

/// <summary>Bearer tokens (RFC 6750) and API keys as an authentication scheme of ASP.NET Core; one per request and scheme.</summary>
internal sealed class TokenAuthenticationHandler(
    TokenSchemes schemes, TokenValidator validator, TokenGrants grants, TokensMetrics metrics, ILogger<TokenAuthenticationHandler> logger) : IAuthenticationHandler
{
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
        if (SentToken.Read(scheme, _context.Request) is not { } given)
        {
            metrics.Of(_name).Missing();
            return AuthenticateResult.NoResult();
        }

        var result = scheme is null
            ? TokenResult.Unavailable
            : await validator.ValidateAsync(scheme, given, _context.RequestAborted);
        if (_result is null && result is { Verdict: TokenVerdict.Accepted, Token: { } token })
            grants.Watch(_context, token, scheme!.Options);
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
                return AnswerAsync(StatusCodes.Status401Unauthorized, SentToken.FieldOf(scheme) is { } field ? $"Send a key as '{field}: …'." : "Send a token as 'Authorization: Bearer …'.");
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
        SentToken.FieldOf(scheme) is { } field ? $"ApiKey realm=\"{_name}\", field=\"{field}\"" : $"{SentToken.Bearer} realm=\"{_name}\"";

    private void Note(in TokenResult result)
    {
        metrics.Of(_name).Request(result);
        if (result.Verdict == TokenVerdict.Refused)
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
