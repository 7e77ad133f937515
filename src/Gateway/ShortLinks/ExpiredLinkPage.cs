using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks;

/// <summary>The page that visitors of expired links see: <see cref="ShortLinksOptions.ExpiredPage"/>, kept until the configuration changes.</summary>
internal sealed class ExpiredLinkPage(IOptionsMonitor<ShortLinksOptions> options, ILogger<ExpiredLinkPage> logger)
{
    private volatile Kept? _kept;

    /// <returns>Null: there is none, or it cannot be read.</returns>
    public async ValueTask<byte[]?> ReadAsync(CancellationToken cancellationToken)
    {
        var current = options.CurrentValue;
        if (current.ExpiredPage is not { Length: > 0 } path)
            return null;
        if (_kept is { } kept && ReferenceEquals(kept.Options, current))
            return kept.Page;
        byte[]? page = null;
        try
        {
            page = await File.ReadAllBytesAsync(path, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            ShortLinksLog.PageUnreadable(logger, path, exception.Message);
        }

        _kept = new Kept(current, page);
        return page;
    }

    private sealed record Kept(ShortLinksOptions Options, byte[]? Page);
}
