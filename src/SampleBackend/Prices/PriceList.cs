using System.Collections.Concurrent;
using SampleBackend.Catalog;

namespace SampleBackend.Prices;

/// <summary>What a product costs now; <paramref name="Version"/> grows with every change.</summary>
internal sealed record Price(string ProductId, decimal Amount, string Currency, long Version, DateTimeOffset ChangedAt);

/// <summary>The prices of this backend, in memory. One backend owns them: the gateway sends price requests to the first one that is healthy.</summary>
internal sealed class PriceList(Catalogue catalogue, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Price> _changed = new(StringComparer.Ordinal);

    /// <summary>The price of a product; null when there is no such product.</summary>
    public Price? Find(string id) =>
        _changed.TryGetValue(id, out var price) ? price
        : catalogue.Find(id) is { } product ? Initial(product) : null;

    /// <summary>Changes the price of a product; null when there is no such product.</summary>
    public Price? Change(string id, decimal amount)
    {
        if (catalogue.Find(id) is not { } product) return null;
        var now = time.GetUtcNow();
        return _changed.AddOrUpdate(
            id,
            _ => Changed(Initial(product), amount, now),
            (_, current) => Changed(current, amount, now));
    }

    private static Price Initial(Product product) => new(product.Id, product.ListPrice, "EUR", 1, product.LastModified);

    private static Price Changed(Price price, decimal amount, DateTimeOffset now) =>
        price with { Amount = amount, Version = price.Version + 1, ChangedAt = now };
}
