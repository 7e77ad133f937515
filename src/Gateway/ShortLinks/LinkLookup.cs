using Gateway.ChangeLog;
using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks;

/// <summary>What is known of a slug.</summary>
/// <param name="IsKnown">False: neither memory nor Redis can tell.</param>
/// <param name="Link">The link; null where there is none.</param>
internal readonly record struct LinkAnswer(bool IsKnown, ShortLink? Link);

/// <summary>
/// Finds links: in memory while the change log names no change of them, else in Redis. Slugs without a link are
/// remembered briefly, apart from links: a flood of them pushes no link out.
/// </summary>
internal sealed class LinkLookup(LinkStore store, SharedChangeLog log, IOptionsMonitor<ShortLinksOptions> options, TimeProvider time)
{
    public const int MaxUnknown = 20_000;

    private readonly BoundedMemory<string, RememberedSlug> _links = new(options.CurrentValue.MemoryLimit);
    private readonly BoundedMemory<string, RememberedSlug> _unknown = new(MaxUnknown);

    public int LinkCount => _links.Count;

    public int UnknownCount => _unknown.Count;

    public async ValueTask<LinkAnswer> FindAsync(string slug, CancellationToken cancellationToken)
    {
        var known = _links.Get(slug);
        var verdict = known?.CheckAgainst(log) ?? ChangeVerdict.Changed;
        if (verdict == ChangeVerdict.Current)
            return new LinkAnswer(true, known!.Link);
        if (_unknown.Get(slug) is { } absent && time.GetElapsedTime(absent.ReadAt) < options.CurrentValue.UnknownFor
            && absent.CheckAgainst(log) == ChangeVerdict.Current)
            return new LinkAnswer(true, null);

        var read = await ReadAsync(slug, cancellationToken);
        // Nothing says that it changed; only the log is another one now.
        return !read.IsKnown && verdict == ChangeVerdict.Unknown ? new LinkAnswer(true, known!.Link) : read;
    }

    /// <summary>Finds a link in Redis, whatever memory says of it.</summary>
    public async ValueTask<LinkAnswer> ReadAsync(string slug, CancellationToken cancellationToken)
    {
        // The stamp is from before the read: a change during it makes the copy unusable.
        var stamp = log.Stamp;
        var reply = await store.ReadAsync(slug, cancellationToken);
        if (!reply.TryGet(out var link))
            return default;

        var read = new RememberedSlug(slug, link, stamp, time.GetTimestamp());
        if (link is null)
            _unknown.Set(slug, read, 1);
        else
            _links.Set(slug, read, link.Size);
        return new LinkAnswer(true, link);
    }

    private sealed class RememberedSlug(string slug, ShortLink? link, ChangeStamp stamp, long readAt)
    {
        private readonly Selector[] _selectors = link is null
            ? [LinkStore.SelectorOf(slug), LinkStore.AllLinks, LinkStore.NewLinks]
            : [LinkStore.SelectorOf(slug), LinkStore.AllLinks];

        private long _checkedVersion;

        public ShortLink? Link => link;

        public long ReadAt => readAt;

        public ChangeVerdict CheckAgainst(SharedChangeLog log)
        {
            var version = log.Version;
            if (Volatile.Read(ref _checkedVersion) == version)
                return ChangeVerdict.Current;
            var verdict = log.Check(stamp, _selectors);
            if (verdict == ChangeVerdict.Current)
                Volatile.Write(ref _checkedVersion, version);
            return verdict;
        }
    }
}
