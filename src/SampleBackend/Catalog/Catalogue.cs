using System.Globalization;

namespace SampleBackend.Catalog;

/// <summary>One word in the languages of the shop.</summary>
internal sealed record Translated(string En, string De, string Fr)
{
    public string In(string language) => language switch { "de" => De, "fr" => Fr, _ => En };
}

/// <summary>A product; its name exists in every language of the shop.</summary>
internal sealed record Product(string Id, Translated Name, decimal ListPrice, DateTimeOffset LastModified);

/// <summary>The 200 products of the shop: the same on every backend, and never changing, so that validators agree.</summary>
internal sealed class Catalogue
{
    private static readonly Translated[] Kinds =
    [
        new("table", "Tisch", "Table"), new("chair", "Stuhl", "Chaise"), new("shelf", "Regal", "Étagère"),
        new("bench", "Bank", "Banc"), new("bed", "Bett", "Lit"), new("desk", "Schreibtisch", "Bureau"),
        new("lamp", "Lampe", "Lampe"), new("clock", "Uhr", "Horloge"), new("mirror", "Spiegel", "Miroir"),
        new("vase", "Vase", "Vase"), new("bowl", "Schale", "Bol"), new("tray", "Tablett", "Plateau"),
        new("box", "Kiste", "Boîte"), new("stool", "Hocker", "Tabouret"), new("frame", "Rahmen", "Cadre"),
        new("coat rack", "Garderobe", "Portemanteau"), new("candlestick", "Kerzenständer", "Bougeoir"),
        new("basket", "Korb", "Panier"), new("cabinet", "Schrank", "Armoire"), new("sideboard", "Anrichte", "Buffet"),
    ];

    private static readonly Translated[] Materials =
    [
        new("Oak", "Eiche", "chêne"), new("Walnut", "Nussbaum", "noyer"), new("Pine", "Kiefer", "pin"),
        new("Birch", "Birke", "bouleau"), new("Ash", "Esche", "frêne"), new("Steel", "Stahl", "acier"),
        new("Copper", "Kupfer", "cuivre"), new("Brass", "Messing", "laiton"), new("Glass", "Glas", "verre"),
        new("Marble", "Marmor", "marbre"),
    ];

    private readonly Dictionary<string, Product> _byId;

    public Catalogue()
    {
        Products = [.. Enumerable.Range(0, Kinds.Length * Materials.Length).Select(Create)];
        _byId = Products.ToDictionary(product => product.Id, StringComparer.Ordinal);
    }

    public IReadOnlyList<Product> Products { get; }

    public Product? Find(string id) => _byId.GetValueOrDefault(id);

    private static Product Create(int index)
    {
        var (kind, material) = (Kinds[index % Kinds.Length], Materials[index / Kinds.Length]);
        return new Product(
            (index + 1).ToString(CultureInfo.InvariantCulture),
            new Translated($"{material.En} {kind.En}", $"{kind.De} aus {material.De}", $"{kind.Fr} en {material.Fr}"),
            19.90m + (index * 37 % 400),
            new DateTimeOffset(2025, 1, 1, 8, 0, 0, TimeSpan.Zero).AddHours(index));
    }
}
