using System.Globalization;

namespace SampleBackend.Catalog;

/// <summary>Which page of the catalogue is asked for: <c>page</c> 1 to 10,000, <c>size</c> 1 to 100, <c>sort</c> id or name, with - for descending.</summary>
internal sealed record Listing(int Page, int Size, string Sort)
{
    private const int LastPage = 10_000;
    private const int LargestSize = 100;
    private static readonly string[] Sorts = ["id", "-id", "name", "-name"];

    /// <summary>Reads the query; <paramref name="errors"/> names every parameter that is wrong.</summary>
    public static Listing Read(IQueryCollection query, List<string> errors) => new(
        Number(query, "page", 1, LastPage, errors),
        Number(query, "size", 20, LargestSize, errors),
        OneOf(query, "sort", Sorts, errors));

    /// <summary>The products on this page, in the order asked for, with names in <paramref name="language"/>.</summary>
    public ProductPage Of(Catalogue catalogue, string language)
    {
        var views = catalogue.Products.Select(product => new ProductLink(product.Id, product.Name.In(language), $"/catalog/{product.Id}"));
        var ordered = Sort switch
        {
            "-id" => views.Reverse(),
            "name" => views.OrderBy(view => view.Name, StringComparer.Ordinal),
            "-name" => views.OrderByDescending(view => view.Name, StringComparer.Ordinal),
            _ => views,
        };
        var total = catalogue.Products.Count;
        var next = Page * Size < total ? $"/catalog?page={Page + 1}&size={Size}&sort={Sort}" : null;
        return new ProductPage(Page, Size, total, [.. ordered.Skip((Page - 1) * Size).Take(Size)], next);
    }

    private static int Number(IQueryCollection query, string name, int absent, int most, List<string> errors)
    {
        if (!query.TryGetValue(name, out var values)) return absent;
        if (int.TryParse(values, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most) return number;
        errors.Add($"{name}: a whole number from 1 to {most}.");
        return absent;
    }

    private static string OneOf(IQueryCollection query, string name, string[] allowed, List<string> errors)
    {
        if (!query.TryGetValue(name, out var values)) return allowed[0];
        if (allowed.Contains(values.ToString(), StringComparer.Ordinal)) return values.ToString();
        errors.Add($"{name}: one of {string.Join(", ", allowed)}.");
        return allowed[0];
    }
}

internal sealed record ProductPage(int Page, int Size, int Total, ProductLink[] Items, string? Next);

internal sealed record ProductLink(string Id, string Name, string Href);

internal sealed record ProductView(string Id, string Name, string Language, decimal ListPrice, string Image, string Price);

internal sealed record SlowView(ProductView Product, ProductLink[] GoesWellWith, DateTimeOffset ComputedAt);
