using Microsoft.Extensions.Options;

namespace Gateway.UnitTests.Hosting;

/// <summary>Options that never change.</summary>
internal sealed class FixedOptions<TOptions>(TOptions value) : IOptionsMonitor<TOptions>
{
    public TOptions CurrentValue => value;

    public TOptions Get(string? name) => value;

    public IDisposable? OnChange(Action<TOptions, string?> listener) => null;
}
