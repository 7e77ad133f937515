using Gateway.ChangeLog;
using Gateway.Hosting.Configuration;
using Gateway.Tokens.ApiKeys;
using Gateway.Tokens.Introspection;
using Gateway.Tokens.Revocations;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Tokens;

internal static class TokensExtensions
{
    /// <summary>Adds the schemes of the section <c>Tokens</c>, revocations, and Redis and the change log where they were not added.</summary>
    public static IServiceCollection AddGatewayTokens(this IServiceCollection services)
    {
        services.AddChangeLog();
        services.AddValidatedSection<TokensOptions, TokensOptionsValidator>(TokensOptions.SectionName);
        services.AddSingleton<TokenSchemes>();
        services.AddSingleton<TokenPolicies>();
        services.AddSingleton<TokenCache>();
        services.AddSingleton<TokenVerifier>();
        services.AddSingleton<TokenValidator>();
        services.AddSingleton<TokenGrants>();
        services.AddSingleton<KnownTokens>();
        services.AddSingleton<IdentityFields>();
        services.AddSingleton<TokensMetrics>();
        services.AddHostedService<KeyRefresh>();
        services.AddTransient<TokenAuthenticationHandler>();

        services.AddSingleton<IntrospectionClient>();
        services.AddSingleton<IntrospectionTurns>();
        services.AddSingleton<IntrospectedTokens>();
        services.AddSingleton<ApiKeyStore>();
        services.AddSingleton<ApiKeyLookup>();

        services.AddSingleton<RevocationList>();
        services.AddSingleton<RevocationStore>();
        services.AddSingleton<IssuerLeads>();
        services.AddHostedService<RevocationSynchronizer>();

        services.AddAuthentication();
        services.AddAuthorization();
        // Who has a known token is authorized without the framework's middleware: see KnownTokens.
        services.Configure<RouteOptions>(options => options.SuppressCheckForUnhandledSecurityMetadata = true);
        services.Replace(ServiceDescriptor.Singleton<IAuthenticationSchemeProvider, TokenSchemeProvider>());
        services.Replace(ServiceDescriptor.Singleton<IAuthorizationPolicyProvider, TokenPolicyProvider>());
        services.AddSingleton(PolicyNameRegistration.OfKeys(
            $"{TokensOptions.SectionName}:{nameof(TokensOptions.Schemes)}",
            static (provider, name) => provider.GetRequiredService<TokenPolicies>().Add(name),
            nameof(RouteConfig.AuthorizationPolicy)));
        return services;
    }

    /// <summary>Takes the identity fields that clients sent out of every request. Before routing, which could go by them.</summary>
    public static IApplicationBuilder UseIdentityFieldGuard(this IApplicationBuilder app)
    {
        var fields = app.ApplicationServices.GetRequiredService<IdentityFields>();
        return app.Use((context, next) =>
        {
            fields.Remove(context.Request.Headers);
            return next(context);
        });
    }

    /// <summary>Revocations and API keys on the admin listener.</summary>
    public static void MapTokensAdmin(this IEndpointRouteBuilder admin)
    {
        RevokeEndpoints.Map(admin);
        ApiKeyEndpoints.Map(admin);
    }

    /// <summary>Tells backends who asks. After authorization; before the cache, so that an origin's <c>Vary</c> can name the fields.</summary>
    public static IApplicationBuilder UseIdentityFields(this IApplicationBuilder app)
    {
        var fields = app.ApplicationServices.GetRequiredService<IdentityFields>();
        return app.Use((context, next) =>
        {
            fields.Add(context);
            return next(context);
        });
    }
}
