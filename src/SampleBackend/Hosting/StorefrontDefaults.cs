using System.Text;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Options;

namespace SampleBackend.Hosting;

/// <summary>What every service of the storefront shares: settings, problem answers, the <c>X-Backend</c> field, request counts.</summary>
internal static class StorefrontDefaults
{
    private const int LongestName = 64;

    public static void AddStorefrontDefaults(this WebApplicationBuilder builder, TimeProvider time)
    {
        UseOwnSettings(builder.Configuration);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Obs-text (RFC 9110 §5.5) passes through unharmed in both directions.
            kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
            kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
        });

        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton<RequestCounts>();
        builder.Services.AddProblemDetails();
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = false);
        builder.Services.AddOptions<BackendOptions>()
            .Bind(builder.Configuration)
            .Validate(
                options => options.Name.Length is > 0 and <= LongestName && options.Name.All(c => c is > ' ' and < '\x7f'),
                $"Name: 1 to {LongestName} visible ASCII characters without spaces (it is sent as the X-Backend field).")
            .ValidateOnStart();
    }

    public static void UseStorefrontDefaults(this WebApplication app)
    {
        ValidateSettings(app.Services.GetRequiredService<IStartupValidator>());
        var name = app.Services.GetRequiredService<IOptions<BackendOptions>>().Value.Name;
        var counts = app.Services.GetRequiredService<RequestCounts>();

        app.Use((context, next) =>
        {
            // At the last moment: an exception handler clears fields that were set earlier.
            context.Response.OnStarting(() =>
            {
                context.Response.Headers["X-Backend"] = name;
                return Task.CompletedTask;
            });
            counts.Add(context.Request.Path);
            return next(context);
        });
        app.UseExceptionHandler();
        app.UseStatusCodePages();
    }

    /// <summary>Before anything is built on the settings, so that all errors come at once.</summary>
    private static void ValidateSettings(IStartupValidator validator)
    {
        try
        {
            validator.Validate();
        }
        catch (OptionsValidationException wrong)
        {
            throw new ConfigurationException([.. wrong.Failures]);
        }
        catch (AggregateException wrong) when (wrong.InnerExceptions.All(inner => inner is OptionsValidationException))
        {
            throw new ConfigurationException([.. wrong.InnerExceptions.Cast<OptionsValidationException>().SelectMany(inner => inner.Failures)]);
        }
        catch (InvalidOperationException wrong) when (wrong.InnerException is FormatException or ArgumentException)
        {
            // The configuration binder stops at the first value that it cannot convert; its message names the path.
            throw new ConfigurationException(wrong.Message);
        }
    }

    /// <summary>
    /// The settings are <c>storefront.json</c>, overridden by the environment and the command line, wherever the program
    /// is started: never an <c>appsettings.json</c> that happens to lie there and belongs to somebody else.
    /// </summary>
    private static void UseOwnSettings(ConfigurationManager configuration)
    {
        foreach (var file in configuration.Sources.OfType<JsonConfigurationSource>().ToList())
            configuration.Sources.Remove(file);

        var own = new JsonConfigurationSource { Path = Path.Combine(AppContext.BaseDirectory, "storefront.json") };
        own.ResolveFileProvider();
        configuration.Sources.Insert(0, own);
    }
}

/// <summary>The top level of the configuration.</summary>
internal sealed class BackendOptions
{
    /// <summary>Sent as <c>X-Backend</c> with every answer, so that affinity is visible.</summary>
    public string Name { get; set; } = "backend";
}
