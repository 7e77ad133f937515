using System.Security.Cryptography;
using System.Text;
using Gateway.Redis;
using Gateway.ShortLinks.Passwords;
using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks;

/// <summary>What came of a request to make a link.</summary>
internal enum LinkCreation
{
    /// <summary>Redis did not answer: the link may or may not exist. The same request can be sent again.</summary>
    Unavailable,

    /// <summary>Too many passwords are being hashed. The same request can be sent again.</summary>
    Busy,

    Created,

    /// <summary>The same request made it before.</summary>
    Existed,

    /// <summary>Another link has the slug.</summary>
    Taken,

    /// <summary>The <c>Idempotency-Key</c> belongs to a request that asked for something else.</summary>
    KeyReused,
}

/// <summary>Makes links: with their own slug or a generated one, and once however often the request is sent.</summary>
internal sealed class LinkEditor(LinkStore store, IdempotencyKeys idempotencyKeys, PasswordHasher hasher, IOptionsMonitor<ShortLinksOptions> options)
{
    private const int MaxCollisions = 5;

    /// <param name="wanted">The slug; null to generate one.</param>
    /// <param name="definition">What it says; the password's hash apart.</param>
    /// <param name="password">Its password; empty: none, or the one whose hash <paramref name="definition"/> has.</param>
    /// <param name="visits">The visits it begins with.</param>
    /// <param name="idempotencyKey">By what the client knows its request again; null: by slug and content alone.</param>
    /// <param name="cancellationToken">Ends the waits before a link is written.</param>
    public async Task<(LinkCreation Outcome, ShortLink? Link)> CreateAsync(
        string? wanted, LinkDefinition definition, string password, long visits, string? idempotencyKey, CancellationToken cancellationToken)
    {
        var keyHash = idempotencyKey is null ? null : Hash(idempotencyKey);
        // Not of the password, whose fast hash would be no secret; hashed slowly, it is another one each time.
        var content = $"{wanted}\n{string.Join('\n', definition.ToRedis().SkipLast(1))}{(visits > 0 ? $"\n{visits}" : "")}";
        var request = keyHash is null ? "" : IdempotencyKeys.Format(keyHash, Hash(content));
        if (password.Length > 0)
        {
            if (await hasher.TryHashAsync(password, cancellationToken) is not { } hash)
                return (LinkCreation.Busy, null);
            definition = definition with { PasswordHash = hash };
        }

        for (var attempt = 0; attempt < MaxCollisions; attempt++)
        {
            var bound = await ChooseSlugAsync(wanted, keyHash, cancellationToken);
            if (!bound.TryGet(out var slug))
                return default;
            if (wanted is not null && slug != wanted)
                return (LinkCreation.KeyReused, null);

            var write = await store.CreateAsync(new NewLink(slug, definition, request, visits));
            if (!write.TryGet(out var result))
                return default;
            if (result.IsWritten)
                return (LinkCreation.Created, result.Link);
            // The slug is another request's link: the key is free again, and no trace of it outlives that link.
            if (keyHash is not null && IdempotencyKeys.KeyHashOf(result.Link?.Request) != keyHash)
                await idempotencyKeys.UnbindAsync(keyHash, slug, cancellationToken);
            if (Compare(result.Link, wanted, definition, keyHash, request) is { } outcome)
                return (await ComparePasswordAsync(outcome, result.Link!, definition, password, keyHash, cancellationToken), result.Link);
            // A generated slug met another link: choose anew.
        }

        return (LinkCreation.Taken, null);
    }

    private async ValueTask<RedisReply<string>> ChooseSlugAsync(string? wanted, string? keyHash, CancellationToken cancellationToken)
    {
        var slug = wanted ?? SlugRules.Generate(options.CurrentValue);
        return keyHash is null ? new(slug) : await idempotencyKeys.BindAsync(keyHash, slug, cancellationToken);
    }

    private static LinkCreation? Compare(ShortLink? existing, string? wanted, LinkDefinition definition, string? keyHash, string request)
    {
        if (existing is not null && keyHash is not null && IdempotencyKeys.KeyHashOf(existing.Request) == keyHash)
            return existing.Request == request ? LinkCreation.Existed : LinkCreation.KeyReused;
        if (wanted is null)
            return null;
        return existing is not null && existing.Definition.IsSameButForPassword(definition) ? LinkCreation.Existed : LinkCreation.Taken;
    }

    // What is the same but for the password may still differ in that.
    private async ValueTask<LinkCreation> ComparePasswordAsync(
        LinkCreation outcome, ShortLink existing, LinkDefinition definition, string password, string? keyHash, CancellationToken cancellationToken)
    {
        if (outcome != LinkCreation.Existed)
            return outcome;
        bool? isSame = password.Length > 0 && existing.Definition.PasswordHash.Length > 0
            ? await hasher.TryVerifyAsync(password, existing.Definition.PasswordHash, cancellationToken)
            : existing.Definition.PasswordHash == definition.PasswordHash;
        return isSame switch
        {
            null => LinkCreation.Busy,
            true => LinkCreation.Existed,
            false => keyHash is null ? LinkCreation.Taken : LinkCreation.KeyReused,
        };
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}
