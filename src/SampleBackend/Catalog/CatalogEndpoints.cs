using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using SampleBackend.Hosting;

namespace SampleBackend.Catalog;

/// <summary>The catalogue: pages that a shared cache may keep, each with validators, tags and the fields it varies by.</summary>
internal static class CatalogEndpoints
{
    private const int Companions = 5;

    public static void AddCatalog(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Catalogue>();
        builder.Services.AddSingleton<Prices.PriceList>();
        builder.Services.AddOptions<CatalogOptions>()
            .Bind(builder.Configuration.GetSection("Catalog"))
            .Validate(
                options => options.SlowDelay >= TimeSpan.Zero && options.SlowDelay <= CatalogOptions.LongestDelay,
                "Catalog:SlowDelay: from 00:00:00 to 00:00:30.")
            .ValidateOnStart();
    }

    public static void MapCatalog(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/catalog", Representation.GetAndHead, List);
        routes.MapMethods("/catalog/{id}", Representation.GetAndHead, Show);
        routes.MapMethods("/catalog/{id}/image", Representation.GetAndHead, Image);
        routes.MapMethods("/catalog/slow/{id}", Representation.GetAndHead, ShowSlowly);
    }

    private static IResult List(HttpContext context, Catalogue catalogue)
    {
        var errors = new List<string>();
        var listing = Listing.Read(context.Request.Query, errors);
        if (errors.Count > 0) return Problems.BadRequest(string.Join(' ', errors));

        var language = Describe(context, "public, max-age=60", "catalog");
        var page = listing.Of(catalogue, language);
        return Negotiation.PrefersHtml(context.Request)
            ? Representation.Bytes(CatalogHtml.Page(page, language), "text/html; charset=utf-8")
            : Representation.Json(page, StorefrontJson.Default.ProductPage);
    }

    private static IResult Show(string id, HttpContext context, Catalogue catalogue)
    {
        if (catalogue.Find(id) is not { } product) return Missing(context, id);

        var view = View(product, Describe(context, "public, max-age=60", $"catalog product-{id}"));
        return Negotiation.PrefersHtml(context.Request)
            ? Representation.Bytes(CatalogHtml.Product(view), "text/html; charset=utf-8", product.LastModified)
            : Representation.Json(view, StorefrontJson.Default.ProductView, product.LastModified);
    }

    private static IResult Image(string id, HttpContext context, Catalogue catalogue)
    {
        if (catalogue.Find(id) is not { } product) return Missing(context, id);

        context.Response.Headers.CacheControl = "public, max-age=86400, immutable";
        context.Response.Headers["Surrogate-Key"] = $"images product-{id}";
        return Representation.Bytes(ProductImage.Svg(product), "image/svg+xml", product.LastModified);
    }

    /// <summary>A page that is dear to compute and has no validator: what a cache that serves stale while it revalidates is for (RFC 5861 §3).</summary>
    private static async Task<IResult> ShowSlowly(
        string id, HttpContext context, Catalogue catalogue, IOptions<CatalogOptions> options, TimeProvider time)
    {
        if (catalogue.Find(id) is not { } product) return Missing(context, id);

        await Task.Delay(options.Value.SlowDelay, time, context.RequestAborted);
        var language = Describe(context, "public, max-age=10, stale-while-revalidate=30", $"catalog slow product-{id}");
        var companions = catalogue.Products
            .Where(other => other.Id != id && other.ListPrice <= product.ListPrice)
            .OrderByDescending(other => other.ListPrice)
            .Take(Companions)
            .Select(other => new ProductLink(other.Id, other.Name.In(language), $"/catalog/{other.Id}"));
        return TypedResults.Json(new SlowView(View(product, language), [.. companions], time.GetUtcNow()), StorefrontJson.Default.SlowView);
    }

    /// <summary>Sets the fields that describe a negotiated page, and returns its language.</summary>
    private static string Describe(HttpContext context, string cacheControl, string tags)
    {
        var language = Negotiation.Language(context.Request);
        var fields = context.Response.Headers;
        fields.CacheControl = cacheControl;
        fields.Vary = Negotiation.Vary;
        fields.ContentLanguage = language;
        fields["Surrogate-Key"] = tags;
        return language;
    }

    private static ProductView View(Product product, string language) => new(
        product.Id, product.Name.In(language), language, product.ListPrice, $"/catalog/{product.Id}/image", $"/prices/{product.Id}");

    private static ProblemHttpResult Missing(HttpContext context, string id) =>
        Problems.NotFound(context, $"There is no product '{id}'; /catalog lists them.");
}
