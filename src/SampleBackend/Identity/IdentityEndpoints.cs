using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using SampleBackend.Hosting;

namespace SampleBackend.Identity;

/// <summary>A small identity provider: metadata, keys, tokens and introspection; and what can happen to one: rotations and outages.</summary>
internal static class IdentityEndpoints
{
    public static void AddIdentity(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SigningKeys>();
        builder.Services.AddSingleton<Outage>();
        builder.Services.AddSingleton<TokenIssuer>();
        builder.Services.AddSingleton<IntrospectionCalls>();
        builder.Services.AddSingleton<IValidateOptions<IdentityOptions>, IdentityOptionsValidator>();
        builder.Services.AddOptions<IdentityOptions>().Bind(builder.Configuration.GetSection("Identity")).ValidateOnStart();
    }

    public static void MapIdentity(this WebApplication app)
    {
        // Now, not at the first request: a key that cannot be read must stop the start.
        _ = app.Services.GetRequiredService<SigningKeys>();

        var demo = app.MapGroup("/identity");
        demo.MapPost("/rotate", RotateKeys);
        demo.MapPost("/outage", BeginOutage);
        demo.MapGet("/introspect/count", CountIntrospections);

        var outage = app.Services.GetRequiredService<Outage>();
        var identity = app.MapGroup("/identity").AddEndpointFilter(outage.FilterAsync);
        identity.MapMethods("/.well-known/openid-configuration", Representation.GetAndHead, ShowMetadata);
        identity.MapMethods("/jwks", Representation.GetAndHead, ShowKeys);
        identity.MapPost("/token", IssueToken);
        identity.MapPost("/introspect", Introspect);
    }

    private static IResult ShowMetadata(HttpContext context, IOptions<IdentityOptions> options)
    {
        context.Response.Headers.CacheControl = "public, max-age=300";
        var issuer = options.Value.Issuer;
        var at = issuer.TrimEnd('/');
        return Representation.Json(
            new ProviderMetadata(
                issuer, at + "/jwks", at + "/token", at + "/introspect",
                ["password", "client_credentials"], ["client_secret_basic", "client_secret_post"], ["token"], ["public"], ["RS256"]),
            StorefrontJson.Default.ProviderMetadata);
    }

    private static IResult ShowKeys(HttpContext context, SigningKeys keys)
    {
        context.Response.Headers.CacheControl = "public, max-age=300";
        return Representation.Json(new KeySet(keys.Public), StorefrontJson.Default.KeySet);
    }

    private static JsonHttpResult<KeySet> RotateKeys(HttpContext context, SigningKeys keys)
    {
        context.Response.Headers.CacheControl = "no-store";
        keys.Rotate();
        return TypedResults.Json(new KeySet(keys.Public), StorefrontJson.Default.KeySet);
    }

    private static IResult BeginOutage(HttpContext context, Outage outage, string seconds = "30")
    {
        context.Response.Headers.CacheControl = "no-store";
        if (!int.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > Outage.LongestSeconds)
            return Problems.BadRequest($"seconds: from 0, which ends an outage, to {Outage.LongestSeconds}.");
        outage.Begin(length);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> IssueToken(HttpContext context, TokenIssuer issuer, IOptions<IdentityOptions> options)
    {
        context.Response.Headers.CacheControl = "no-store"; // RFC 6749 §5.1
        var form = await OAuthForm.ReadAsync(context);
        if (form.Error is not null) return form.Error;

        var grant = form["grant_type"];
        if (grant is not ("password" or "client_credentials"))
        {
            return grant is null
                ? OAuthForm.Refuse("invalid_request", "grant_type is missing: password or client_credentials")
                : OAuthForm.Refuse("unsupported_grant_type", "grant_type must be password or client_credentials");
        }

        var (name, secret) = grant == "password" ? (form["username"], form["password"]) : form.ClientCredentials;
        if (name is null || secret is null)
        {
            return grant == "password"
                ? OAuthForm.Refuse("invalid_request", "username and password are required")
                : OAuthForm.RefuseClient(context);
        }
        if (issuer.Authenticate(name, secret) is not { } account)
            return grant == "password" ? OAuthForm.Refuse("invalid_grant", "user name or password is wrong") : OAuthForm.RefuseClient(context);

        if (!TryScope(form["scope"], account.Scope, out var scope))
            return OAuthForm.Refuse("invalid_scope", $"this account may have: {account.Scope}");
        if (!TryLifetime(form["lifetime"], options.Value.Lifetime, out var lifetime))
            return OAuthForm.Refuse("invalid_request", $"lifetime is in seconds, from 1 to {options.Value.Lifetime.TotalSeconds:0}");
        return TypedResults.Json(issuer.Issue(name, account, scope, lifetime), StorefrontJson.Default.TokenAnswer);
    }

    private static async Task<IResult> Introspect(HttpContext context, TokenIssuer issuer, IntrospectionCalls calls)
    {
        context.Response.Headers.CacheControl = "no-store";
        calls.Add();
        var form = await OAuthForm.ReadAsync(context);
        if (form.Error is not null) return form.Error;

        // RFC 7662 §2.1: the caller must prove who it is, or the endpoint would be an oracle for guessed tokens.
        var (name, secret) = form.ClientCredentials;
        if (name is null || secret is null || issuer.Authenticate(name, secret) is null) return OAuthForm.RefuseClient(context);
        return form["token"] is { } token
            ? TypedResults.Json(await issuer.IntrospectAsync(token), StorefrontJson.Default.Introspection)
            : OAuthForm.Refuse("invalid_request", "token is missing");
    }

    private static JsonHttpResult<IntrospectionCount> CountIntrospections(HttpContext context, IntrospectionCalls calls)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(new IntrospectionCount(calls.Count), StorefrontJson.Default.IntrospectionCount);
    }

    /// <summary>All scopes of the account, or the subset that was asked for (RFC 6749 §3.3).</summary>
    private static bool TryScope(string? asked, string allowed, out string granted)
    {
        granted = asked ?? allowed;
        var names = allowed.Split(' ');
        return asked is null || asked.Split(' ').All(scope => names.Contains(scope, StringComparer.Ordinal));
    }

    /// <summary>An addition of this demo: tokens that expire while one watches.</summary>
    private static bool TryLifetime(string? asked, TimeSpan longest, out TimeSpan lifetime)
    {
        lifetime = longest;
        if (asked is null) return true;
        if (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        lifetime = TimeSpan.FromSeconds(seconds);
        return seconds >= 1 && lifetime <= longest;
    }
}

/// <summary>How often this backend was asked about a token.</summary>
internal sealed class IntrospectionCalls
{
    private long _count;

    public long Count => Interlocked.Read(ref _count);

    public void Add() => Interlocked.Increment(ref _count);
}
