using Gateway.Redis;
using Gateway.ShortLinks.Passwords;
using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks.Transfer;

/// <summary>
/// Makes links from a text that is still coming in, a batch at a time: memory holds one batch. Text comes in as fast as
/// Redis takes links. Sent again, an import changes nothing that it did before.
/// </summary>
internal sealed class LinkImport(LinkStore store, PasswordHasher hasher, ShortHosts hosts, IOptionsMonitor<ShortLinksOptions> options, TimeProvider time)
{
    private const int BatchSize = 200;
    private const int MaxTries = 20;
    private const int MaxCollisions = 5;
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    /// <param name="records">The links.</param>
    /// <param name="replace">Whether links that have the slugs already are changed; else those lines are rejected.</param>
    /// <param name="report">Where to tell what came of it.</param>
    /// <param name="cancellationToken">Ends it; what was imported stays.</param>
    public async Task RunAsync(IAsyncEnumerable<ImportRecord> records, bool replace, ImportReport report, CancellationToken cancellationToken)
    {
        // By slug: one batch makes a link once, so the second line of a slug waits for the next.
        var (batch, last) = (new Dictionary<string, Pending>(StringComparer.Ordinal), 0L);
        await foreach (var record in records.WithCancellation(cancellationToken))
        {
            if (record.IsLast)
            {
                var isWritten = await WriteAsync(batch, replace, report, cancellationToken);
                await report.EndAsync(isWritten ? $"Line {record.Line}: {record.Problem}" : NoAnswer(report), cancellationToken);
                return;
            }

            last = record.Line;
            if (await ReadAsync(record, report, cancellationToken) is not { } pending)
            {
                if (batch.Count == 0)
                    report.Pass(last);
                continue;
            }

            if ((batch.Count >= BatchSize || batch.ContainsKey(pending.Link.Slug)) && !await WriteAsync(batch, replace, report, cancellationToken))
            {
                await report.EndAsync(NoAnswer(report), cancellationToken);
                return;
            }

            batch.Add(pending.Link.Slug, pending);
        }

        var isDone = await WriteAsync(batch, replace, report, cancellationToken);
        if (isDone)
            report.Pass(last);
        await report.EndAsync(isDone ? null : NoAnswer(report), cancellationToken);
    }

    private static string NoAnswer(ImportReport report) =>
        $"Redis does not answer. Send the lines after {report.Progress.Line} again; sending those before, too, does no harm.";

    private async Task<Pending?> ReadAsync(ImportRecord record, ImportReport report, CancellationToken cancellationToken)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (record.Request is not { } request)
        {
            errors[""] = [record.Problem];
            await report.RejectAsync(record.Line, errors, cancellationToken);
            return null;
        }

        var current = options.CurrentValue;
        var slug = request.ReadSlug(current, errors);
        var definition = request.Read(current, hosts, errors);
        if (definition is not null && request.Password is { Length: > 0 } password)
        {
            if (await hasher.TryHashAsync(password, cancellationToken) is { } hash)
                definition = definition with { PasswordHash = hash };
            else
                errors["password"] = ["Too many passwords are being hashed: send the line again."];
        }

        if (errors.Count == 0)
            return new Pending(record.Line, new NewLink(slug ?? SlugRules.Generate(current), definition!, Request: "", request.Visits ?? 0), slug is null);
        await report.RejectAsync(record.Line, errors, cancellationToken);
        return null;
    }

    /// <returns>Whether Redis took the batch, which is empty then.</returns>
    private async Task<bool> WriteAsync(Dictionary<string, Pending> batch, bool replace, ImportReport report, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
            return true;
        Pending[] pending = [.. batch.Values];
        if (!(await CreateAsync(pending, cancellationToken)).TryGet(out var writes))
            return false;

        var (created, unchanged, others) = (0, 0, new List<Pending>());
        for (var i = 0; i < pending.Length; i++)
        {
            if (writes[i].IsWritten)
                created++;
            else if (IsSame(writes[i], pending[i]))
                unchanged++;
            else
                others.Add(pending[i]);
        }

        var replaced = 0;
        var named = others.Where(line => !line.IsGenerated).ToList();
        if (replace && named.Count > 0)
        {
            if (!(await TryAsync(() => store.UpdateAsync([.. named.Select(line => line.Link)]), cancellationToken)).TryGet(out var updates))
                return false;
            replaced = updates.Count(update => update.IsWritten);
            others = [.. others.Except(named.Where((_, i) => updates[i].IsWritten))];
        }

        foreach (var line in others)
            await report.RejectAsync(line.Line, new Dictionary<string, string[]> { ["slug"] = ["Another link has this slug."] }, cancellationToken);
        batch.Clear();
        await report.AdvanceAsync(
            progress => progress with
            {
                Line = pending[^1].Line,
                Created = progress.Created + created,
                Unchanged = progress.Unchanged + unchanged,
                Replaced = progress.Replaced + replaced,
            },
            cancellationToken);
        return true;
    }

    // A generated slug that met another link is chosen anew: nobody asked for that link to be replaced.
    private async Task<RedisReply<LinkWrite[]>> CreateAsync(Pending[] pending, CancellationToken cancellationToken)
    {
        var writes = new LinkWrite[pending.Length];
        int[] open = [.. Enumerable.Range(0, pending.Length)];
        for (var attempt = 1; open.Length > 0 && attempt <= MaxCollisions; attempt++)
        {
            foreach (var i in attempt > 1 ? open : [])
                pending[i] = pending[i] with { Link = pending[i].Link with { Slug = SlugRules.Generate(options.CurrentValue) } };
            var reply = await TryAsync(() => store.CreateAsync([.. open.Select(i => pending[i].Link)]), cancellationToken);
            if (!reply.TryGet(out var made))
                return default;
            for (var i = 0; i < open.Length; i++)
                writes[open[i]] = made[i];
            open = [.. open.Where(i => pending[i].IsGenerated && !writes[i].IsWritten && !IsSame(writes[i], pending[i]))];
        }

        return new(writes);
    }

    private static bool IsSame(LinkWrite write, Pending line) =>
        write.Link is { } link && link.Definition.ToRedis().SequenceEqual(line.Link.Definition.ToRedis());

    // The same links again: those that an earlier try made are found to be there, just so.
    private async Task<RedisReply<T>> TryAsync<T>(Func<ValueTask<RedisReply<T>>> write, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var reply = await write();
            if (reply.IsAnswered || attempt == MaxTries)
                return reply;
            await Task.Delay(RetryInterval, time, cancellationToken);
        }
    }

    private readonly record struct Pending(long Line, NewLink Link, bool IsGenerated);
}
