using SampleBackend.Account;
using SampleBackend.Cart;
using SampleBackend.Catalog;
using SampleBackend.Hosting;
using SampleBackend.Identity;
using SampleBackend.Prices;
using SampleBackend.Script;

namespace SampleBackend;

/// <summary>A small storefront: real services to put behind the gateway, and a scripted origin for tests.</summary>
public sealed class Program
{
    private Program()
    {
    }

    /// <summary>Runs the storefront until SIGTERM or Ctrl-C.</summary>
    /// <param name="args">Settings, as <c>--name a --urls http://localhost:5101 --Redis:Configuration localhost:6379</c>.</param>
    /// <returns>0 after an orderly stop, 1 when the configuration is wrong (every error is printed).</returns>
    public static async Task<int> Main(string[] args)
    {
        try
        {
            await Build(args).RunAsync();
            return 0;
        }
        catch (ConfigurationException wrong)
        {
            foreach (var error in wrong.Errors) await Console.Error.WriteLineAsync(error);
            return 1;
        }
    }

    /// <summary>Builds the storefront without starting it, so that a test can run it in its own process on a real socket.</summary>
    /// <param name="args">As for <see cref="Main"/>; <c>--urls http://127.0.0.1:0</c> takes a free port.</param>
    /// <param name="time">The clock; the system's when absent.</param>
    /// <exception cref="ConfigurationException">The configuration is wrong; every error is listed.</exception>
    public static WebApplication Build(string[] args, TimeProvider? time = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddStorefrontDefaults(time ?? TimeProvider.System);
        builder.AddCatalog();
        builder.AddCart();
        builder.AddIdentity();
        builder.AddScript();

        var app = builder.Build();
        app.UseStorefrontDefaults();
        app.UseCartSession();
        app.MapCatalog();
        app.MapPrices();
        app.MapAccount();
        app.MapCart();
        app.MapIdentity();
        app.MapScript();
        app.MapOrigin();
        return app;
    }
}
