using Gateway.ShortLinks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gateway.UnitTests.ShortLinks;

public sealed class ExpiredLinkPageTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();
    private readonly Reloaded _options = new();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task The_page_is_read_anew_when_the_configuration_changes_and_not_before()
    {
        var page = new ExpiredLinkPage(_options, NullLogger<ExpiredLinkPage>.Instance);
        Assert.Null(await page.ReadAsync(default));

        _options.CurrentValue = new ShortLinksOptions { ExpiredPage = _file };
        await File.WriteAllTextAsync(_file, "first");
        Assert.Equal("first"u8.ToArray(), await page.ReadAsync(default));
        await File.WriteAllTextAsync(_file, "second");
        Assert.Equal("first"u8.ToArray(), await page.ReadAsync(default));

        _options.CurrentValue = new ShortLinksOptions { ExpiredPage = _file };
        Assert.Equal("second"u8.ToArray(), await page.ReadAsync(default));
    }

    [Fact]
    public async Task A_page_that_cannot_be_read_is_none()
    {
        _options.CurrentValue = new ShortLinksOptions { ExpiredPage = _file + ".absent" };

        Assert.Null(await new ExpiredLinkPage(_options, NullLogger<ExpiredLinkPage>.Instance).ReadAsync(default));
    }

    private sealed class Reloaded : IOptionsMonitor<ShortLinksOptions>
    {
        public ShortLinksOptions CurrentValue { get; set; } = new();

        public ShortLinksOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<ShortLinksOptions, string?> listener) => null;
    }
}
