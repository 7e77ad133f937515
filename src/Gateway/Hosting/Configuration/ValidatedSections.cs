using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting.Configuration;

/// <summary>A configuration section of a feature: what the reload binds and validates, and what the schema describes.</summary>
/// <param name="Path">The section's path, such as <c>OutputCache</c>.</param>
/// <param name="OptionsType">The type that the section binds to.</param>
internal sealed record ConfigurationSectionDescriptor(string Path, Type OptionsType);

internal static class ValidatedSections
{
    /// <summary>
    /// Binds <paramref name="path"/> to <typeparamref name="TOptions"/>, refuses keys that the type lacks, and makes
    /// the section part of the whole that is validated at start and at every reload.
    /// </summary>
    public static IServiceCollection AddValidatedSection<TOptions, TValidator>(this IServiceCollection services, string path)
        where TOptions : class
        where TValidator : class, IValidateOptions<TOptions>
    {
        services.AddOptions<TOptions>().BindConfiguration(path, binder => binder.ErrorOnUnknownConfiguration = true);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TOptions>, TValidator>());
        services.AddSingleton(new ConfigurationSectionDescriptor(path, typeof(TOptions)));
        return services;
    }
}
