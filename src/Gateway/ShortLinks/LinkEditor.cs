using System.Security.Cryptography;
using System.Text;
using Gateway.Redis;
using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks;

/// <summary>What came of a request to make a link.</summary>
internal enum LinkCreation
{
    /// <summary>Redis did not answer: the link may or may not exist. The same request can be sent again.</summary>
    Unavailable,

    Created,

    /// <summary>The same request made it before.</summary>
    Existed,

    /// <summary>Another link has the slug.</summary>
    Taken,

    /// <summary>The <c>Idempotency-Key</c> belongs to a request that asked for something else.</summary>
    KeyReused,
}

/// <summary>Makes links: with their own slug or a generated one, and once however often the request is sent.</summary>
internal sealed class LinkEditor(LinkStore store, IOptionsMonitor<ShortLinksOptions> options)
{
    private const int MaxCollisions = 5;

    /// <param name="wanted">The slug; null to generate one.</param>
    /// <param name="idempotencyKey">By what the client knows its request again; null: by slug and content alone.</param>
    public async Task<(LinkCreation Outcome, ShortLink? Link)> CreateAsync(
        string? wanted, LinkDefinition definition, string? idempotencyKey, CancellationToken cancellationToken)
    {
        var keyHash = idempotencyKey is null ? null : Hash(idempotencyKey);
        var request = keyHash is null ? "" : $"{keyHash}:{Hash($"{wanted}\n{string.Join('\n', definition.ToRedis())}")}";
        for (var attempt = 0; attempt < MaxCollisions; attempt++)
        {
            var bound = await ChooseSlugAsync(wanted, keyHash, cancellationToken);
            if (!bound.TryGet(out var slug))
                return default;
            if (wanted is not null && slug != wanted)
                return (LinkCreation.KeyReused, null);

            var write = await store.CreateAsync(slug, definition, request);
            if (!write.TryGet(out var result))
                return default;
            if (result.IsWritten)
                return (LinkCreation.Created, result.Link);
            if (Compare(result.Link, wanted, definition, keyHash, request) is { } outcome)
                return (outcome, result.Link);
            // A generated slug met another link: choose anew.
            if (keyHash is not null)
                await store.UnbindRequestAsync(keyHash, cancellationToken);
        }

        return (LinkCreation.Taken, null);
    }

    private async ValueTask<RedisReply<string>> ChooseSlugAsync(string? wanted, string? keyHash, CancellationToken cancellationToken)
    {
        var slug = wanted ?? SlugRules.Generate(options.CurrentValue);
        return keyHash is null ? new(slug) : await store.BindRequestAsync(keyHash, slug, cancellationToken);
    }

    private static LinkCreation? Compare(ShortLink? existing, string? wanted, LinkDefinition definition, string? keyHash, string request)
    {
        if (existing is not null && keyHash is not null && existing.Request.StartsWith(keyHash + ":", StringComparison.Ordinal))
            return existing.Request == request ? LinkCreation.Existed : LinkCreation.KeyReused;
        if (wanted is null)
            return null;
        return existing is not null && existing.Definition.IsSameAs(definition) ? LinkCreation.Existed : LinkCreation.Taken;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}
