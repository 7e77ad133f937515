using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using SampleBackend.Catalog;
using SampleBackend.Hosting;

namespace SampleBackend.Cart;

/// <summary>The cart. It lives in the session, so it survives the death of either backend; never stored by a cache.</summary>
internal static class CartEndpoints
{
    private const string SessionKey = "cart";
    private const int MostItems = 50;
    private const int MostPieces = 99;

    public static void MapCart(this IEndpointRouteBuilder routes)
    {
        var cart = routes.MapGroup("/cart").AddEndpointFilter(KeepInSession);
        cart.MapGet("", Show);
        cart.MapPost("/items", Add);
        cart.MapDelete("/items/{id}", Remove);
    }

    private static JsonHttpResult<CartView> Show(HttpContext context, Catalogue catalogue, IOptions<BackendOptions> backend) =>
        TypedResults.Json(View(Read(context.Session), catalogue, backend.Value.Name), StorefrontJson.Default.CartView);

    private static async Task<IResult> Add(HttpContext context, Catalogue catalogue, IOptions<BackendOptions> backend)
    {
        var (item, problem) = await JsonBody.ReadAsync(context, StorefrontJson.Default.CartItem);
        if (item is null) return problem!;
        if (item.ProductId is null || catalogue.Find(item.ProductId) is null)
            return Problems.BadRequest("productId: the id of a product in /catalog, as {\"productId\": \"1\", \"quantity\": 2}.");
        if (item.Quantity is not (>= 1 and <= MostPieces))
            return Problems.BadRequest($"quantity: a whole number from 1 to {MostPieces}.");

        var items = Read(context.Session);
        var quantity = item.Quantity + items.Where(other => other.ProductId == item.ProductId).Sum(other => other.Quantity);
        CartItem[] changed = [.. items.Where(other => other.ProductId != item.ProductId), item with { Quantity = quantity }];
        if (quantity > MostPieces || changed.Length > MostItems)
            return Problems.BadRequest($"A cart holds at most {MostItems} products and {MostPieces} pieces of each.");

        Write(context.Session, changed);
        return TypedResults.Json(View(changed, catalogue, backend.Value.Name), StorefrontJson.Default.CartView, statusCode: StatusCodes.Status201Created);
    }

    private static IResult Remove(string id, HttpContext context)
    {
        var items = Read(context.Session);
        CartItem[] changed = [.. items.Where(item => item.ProductId != id)];
        if (changed.Length == items.Length)
            return TypedResults.Problem($"There is no product '{id}' in the cart.", statusCode: StatusCodes.Status404NotFound);

        Write(context.Session, changed);
        return TypedResults.NoContent();
    }

    /// <summary>Saves the session before the answer: where it cannot be, that is 503. Of two requests at once the session that is saved last holds, as with any <c>ISession</c>.</summary>
    private static async ValueTask<object?> KeepInSession(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        context.Response.Headers.CacheControl = "no-store";
        var answer = await next(invocation);
        await context.Session.CommitAsync(context.RequestAborted);
        return answer;
    }

    private static CartItem[] Read(ISession session)
    {
        if (!session.TryGetValue(SessionKey, out var stored)) return [];
        try
        {
            return JsonSerializer.Deserialize(stored, StorefrontJson.Default.CartItemArray) ?? [];
        }
        catch (JsonException)
        {
            // Redis is shared: what somebody else wrote there is an empty cart, not an error of this customer's.
            return [];
        }
    }

    private static void Write(ISession session, CartItem[] items) =>
        session.Set(SessionKey, JsonSerializer.SerializeToUtf8Bytes(items, StorefrontJson.Default.CartItemArray));

    private static CartView View(CartItem[] items, Catalogue catalogue, string backend) => new(
        backend,
        [.. items.Select(item => item with { Name = catalogue.Find(item.ProductId ?? "")?.Name.En })],
        items.Sum(item => item.Quantity));
}

internal sealed record CartItem(string? ProductId, int Quantity, string? Name = null);

internal sealed record CartView(string Backend, CartItem[] Items, int Pieces);
