using System.Text.Json;
using System.Text.Json.Serialization;
using SampleBackend.Account;
using SampleBackend.Cart;
using SampleBackend.Catalog;
using SampleBackend.Identity;
using SampleBackend.Prices;
using SampleBackend.Script;

namespace SampleBackend.Hosting;

/// <summary>Every JSON shape that the storefront reads or writes; the serialization code is generated at build.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PathCount))]
[JsonSerializable(typeof(ProductPage))]
[JsonSerializable(typeof(ProductView))]
[JsonSerializable(typeof(SlowView))]
[JsonSerializable(typeof(Price))]
[JsonSerializable(typeof(PriceChange))]
[JsonSerializable(typeof(AccountView))]
[JsonSerializable(typeof(CartItem))]
[JsonSerializable(typeof(CartItem[]))]
[JsonSerializable(typeof(CartView))]
[JsonSerializable(typeof(ProviderMetadata))]
[JsonSerializable(typeof(KeySet))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(TokenError))]
[JsonSerializable(typeof(Introspection))]
[JsonSerializable(typeof(IntrospectionCount))]
[JsonSerializable(typeof(ScriptCount))]
[JsonSerializable(typeof(ScriptRequest[]))]
internal sealed partial class StorefrontJson : JsonSerializerContext;
