using Microsoft.AspNetCore.Http.HttpResults;
using SampleBackend.Hosting;

namespace SampleBackend.Prices;

/// <summary>Prices: five seconds in a shared cache, never in a browser's (<c>s-maxage=5, max-age=0</c>), and changed by PUT.</summary>
internal static class PriceEndpoints
{
    private const decimal Highest = 1_000_000m;

    public static void MapPrices(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/prices/{id}", Representation.GetAndHead, Show);
        routes.MapPut("/prices/{id}", Change);
    }

    private static IResult Show(string id, HttpContext context, PriceList prices)
    {
        if (prices.Find(id) is not { } price) return Missing(context, id);

        context.Response.Headers.CacheControl = "s-maxage=5, max-age=0";
        context.Response.Headers["Surrogate-Key"] = $"prices price-{id}";
        return Representation.Json(price, StorefrontJson.Default.Price);
    }

    private static async Task<IResult> Change(string id, HttpContext context, PriceList prices)
    {
        context.Response.Headers.CacheControl = "no-store";
        var (change, problem) = await JsonBody.ReadAsync(context, StorefrontJson.Default.PriceChange);
        if (change is null) return problem!;
        if (change.Amount is not ({ } amount and > 0 and <= Highest) || decimal.Round(amount, 2) != amount)
            return Problems.BadRequest($"amount: more than 0, at most {Highest:0}, with at most two decimals, as {{\"amount\": 12.50}}.");

        return prices.Change(id, amount) is { } price
            ? TypedResults.Json(price, StorefrontJson.Default.Price)
            : Missing(context, id);
    }

    private static ProblemHttpResult Missing(HttpContext context, string id) =>
        Problems.NotFound(context, $"There is no price for '{id}'; /catalog lists the products.");
}

internal sealed record PriceChange(decimal? Amount);
