using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.StackExchangeRedis;
using Microsoft.Extensions.Caching.StackExchangeRedis;
using SampleBackend.Hosting;
using StackExchange.Redis;

namespace SampleBackend.Cart;

/// <summary>
/// The session that holds the cart: in Redis, shared by all backends, together with the keys that protect its cookie.
/// Without <c>Redis:Configuration</c> both live in this process.
/// </summary>
internal static class CartExtensions
{
    private static readonly PathString CartPath = "/cart";

    public static void AddCart(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSession(session =>
        {
            session.Cookie.Name = "storefront-session";
            session.Cookie.HttpOnly = true;
            session.Cookie.IsEssential = true;
            session.Cookie.SameSite = SameSiteMode.Lax;
            session.IdleTimeout = TimeSpan.FromMinutes(20);
            session.IOTimeout = RedisConnection.Deadline;
        });
        var protection = services.AddDataProtection().SetApplicationName("storefront");

        if (builder.Configuration["Redis:Configuration"] is { Length: > 0 } redis)
        {
            // Keys that cannot be read are Redis being away, which RedisConnection reports, once.
            builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection.KeyManagement.KeyRingProvider", LogLevel.None);
            ShareThroughRedis(services, ParseConfiguration(redis), builder.Configuration["Redis:KeyPrefix"] ?? "storefront:");
        }
        else
        {
            services.AddDistributedMemoryCache();
            protection.UseEphemeralDataProtectionProvider();
        }
    }

    public static void UseCartSession(this WebApplication app) =>
        app.UseWhen(context => context.Request.Path.StartsWithSegments(CartPath), cart =>
        {
            var protector = app.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("probe");
            var redis = app.Services.GetService<RedisConnection>();
            cart.Use((context, next) => redis is { IsConnected: false } || !HasKeys(protector)
                ? CartEndpoints.Unavailable(context).ExecuteAsync(context)
                : next(context));
            cart.UseSession();
        });

    private static void ShareThroughRedis(IServiceCollection services, ConfigurationOptions configuration, string prefix)
    {
        // First among the hosted services: the keys are loaded by a later one.
        services.Insert(0, ServiceDescriptor.Singleton(provider => new RedisConnection(configuration, provider.GetRequiredService<ILogger<RedisConnection>>())));
        services.Insert(1, ServiceDescriptor.Singleton<IHostedService>(provider => provider.GetRequiredService<RedisConnection>()));
        services.AddStackExchangeRedisCache(_ => { });
        services.AddOptions<RedisCacheOptions>().Configure<RedisConnection>((cache, connection) =>
        {
            cache.InstanceName = prefix + "cart:";
            cache.ConnectionMultiplexerFactory = () => Task.FromResult(connection.Multiplexer);
        });
        services.AddOptions<KeyManagementOptions>().Configure<RedisConnection>((keys, connection) =>
            keys.XmlRepository = new RedisXmlRepository(() => connection.Multiplexer.GetDatabase(), prefix + "keys"));
    }

    /// <summary>
    /// A session cookie that cannot be read for want of keys would quietly become a new, empty cart. So: no keys, no answer.
    /// </summary>
    private static bool HasKeys(IDataProtector protector)
    {
        try
        {
            protector.Protect([]);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static ConfigurationOptions ParseConfiguration(string configuration)
    {
        try
        {
            return RedisConnection.Parse(configuration);
        }
        catch (ArgumentException wrong)
        {
            throw new ConfigurationException(
                $"Redis:Configuration: not a StackExchange.Redis configuration string, as localhost:6379 ({wrong.Message}).");
        }
    }
}
