using System.Globalization;
using System.Net;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using StackExchange.Redis;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Benchmarks.Servers;

/// <summary>
/// The servers made of ASP.NET Core alone: <c>serve KIND PORT [ORIGIN [REDIS]]</c>, or a key file for the origin. Each has what its job needs and
/// nothing else: no logging, no telemetry, no configuration files.
/// </summary>
internal static class ServeCommand
{
    /// <summary>Where the origin tells how many other requests it answered.</summary>
    public const string CountPath = "/count";

    private const string CachePolicy = "bench";

    public static async Task<int> RunAsync(string[] args)
    {
        WebApplication? app = args switch
        {
            ["kestrel", var port] => BareKestrel(Builder(port)),
            ["origin", var port] => Origin(Builder(port)),
            ["kestrel-429", var port] => BareRefusal(Builder(port)),
            ["kestrel-jwt", var port, var keyFile] => KestrelWithJwt(Builder(port), keyFile),
            ["kestrel-eval", var port, _, var redis] => KestrelWithEval(Builder(port), redis),
            ["yarp", var port, var origin] => BareYarp(Builder(port), origin),
            ["output-cache", var port, var origin] => OutputCache(Builder(port), origin, redis: null),
            ["output-cache-redis", var port, var origin, var redis] => OutputCache(Builder(port), origin, redis),
            _ => null,
        };
        if (app is null)
        {
            await Console.Error.WriteLineAsync("serve KIND PORT [ORIGIN [REDIS]]; KIND is kestrel, kestrel-429, kestrel-eval, kestrel-jwt (KEYS instead of ORIGIN), origin, yarp, output-cache or output-cache-redis.");
            return 2;
        }

        await using (app)
            await app.RunAsync();
        return 0;
    }

    private static WebApplicationBuilder Builder(string port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture));
        });
        return builder;
    }

    private static WebApplication BareKestrel(WebApplicationBuilder builder)
    {
        var app = builder.Build();
        app.Run(Content.WriteAsync);
        return app;
    }

    // What saying no costs at least: the same fields and body each time, from memory.
    private static WebApplication BareRefusal(WebApplicationBuilder builder)
    {
        var body = "{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\",\"title\":\"Too many requests.\",\"status\":429,\"violated-policies\":[\"bench\"]}"u8.ToArray();
        var app = builder.Build();
        app.Run(context =>
        {
            var response = context.Response;
            response.StatusCode = StatusCodes.Status429TooManyRequests;
            response.ContentType = "application/problem+json";
            response.ContentLength = body.Length;
            response.Headers.CacheControl = "no-store";
            response.Headers.RetryAfter = "86400";
            response.Headers["RateLimit-Policy"] = "\"bench\";q=1;w=86400";
            response.Headers["RateLimit"] = "\"bench\";r=0;t=86400";
            return response.Body.WriteAsync(body, 0, body.Length);
        });
        return app;
    }

    // What counting in Redis costs at least: one script on one connection for each request.
    private static WebApplication KestrelWithEval(WebApplicationBuilder builder, string redis)
    {
        const string script = "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return n";
        var connection = ConnectionMultiplexer.Connect(redis);
        var app = builder.Build();
        app.Run(async context =>
        {
            await connection.GetDatabase().ScriptEvaluateAsync(script, ["eval"], [3_600_000]);
            await Content.WriteAsync(context);
        });
        return app;
    }

    // What a token costs where nothing is kept of it: the whole validation for each request.
    private static WebApplication KestrelWithJwt(WebApplicationBuilder builder, string keyFile)
    {
        var handler = new JsonWebTokenHandler { MapInboundClaims = false };
        var parameters = new TokenValidationParameters
        {
            ValidIssuer = BenchToken.Issuer,
            ValidAudience = BenchToken.Audience,
            ValidAlgorithms = [SecurityAlgorithms.RsaSha256],
            IssuerSigningKeys = new JsonWebKeySet(File.ReadAllText(keyFile)).GetSigningKeys(),
        };
        var app = builder.Build();
        app.Run(async context =>
        {
            var result = await handler.ValidateTokenAsync(context.Request.Headers.Authorization.ToString()["Bearer ".Length..], parameters);
            if (result.IsValid)
                await Content.WriteAsync(context);
            else
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        });
        return app;
    }

    private static WebApplication Origin(WebApplicationBuilder builder)
    {
        var count = 0L;
        var app = builder.Build();
        app.Run(context =>
        {
            if (context.Request.Path == CountPath)
                return context.Response.WriteAsync(Volatile.Read(ref count).ToString(CultureInfo.InvariantCulture));
            Interlocked.Increment(ref count);
            return Content.WriteAsync(context);
        });
        return app;
    }

    private static WebApplication BareYarp(WebApplicationBuilder builder, string origin)
    {
        AddProxy(builder, origin, cachePolicy: null);
        var app = builder.Build();
        app.MapReverseProxy();
        return app;
    }

    private static WebApplication OutputCache(WebApplicationBuilder builder, string origin, string? redis)
    {
        builder.Services.AddOutputCache(options => options.AddPolicy(
            CachePolicy, policy => policy.Expire(TimeSpan.FromHours(1)).SetVaryByHeader("Accept-Encoding")));
        if (redis is not null)
            builder.Services.AddStackExchangeRedisOutputCache(options => options.Configuration = redis);
        AddProxy(builder, origin, CachePolicy);
        var app = builder.Build();
        app.UseRouting();
        app.UseOutputCache();
        app.MapReverseProxy();
        return app;
    }

    private static void AddProxy(WebApplicationBuilder builder, string origin, string? cachePolicy)
    {
        builder.Services.AddRouting();
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "origin", Match = new() { Path = "/{**rest}" }, OutputCachePolicy = cachePolicy }],
            [
                new ClusterConfig
                {
                    ClusterId = "origin",
                    Destinations = new Dictionary<string, DestinationConfig> { ["origin"] = new() { Address = origin } },
                },
            ]);
    }
}
