using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace SampleBackend.Catalog;

/// <summary>The catalogue as HTML pages, for browsers.</summary>
internal static class CatalogHtml
{
    public static byte[] Page(ProductPage page, string language)
    {
        var body = new StringBuilder().Append("<ul>");
        foreach (var item in page.Items)
            body.Append(CultureInfo.InvariantCulture, $"<li><a href=\"{item.Href}\">{Encode(item.Name)}</a></li>");
        body.Append("</ul>");
        if (page.Next is not null) body.Append(CultureInfo.InvariantCulture, $"<p><a href=\"{Encode(page.Next)}\">»</a></p>");
        return Document("Storefront", body.ToString(), language);
    }

    public static byte[] Product(ProductView product) => Document(
        product.Name,
        $"<img src=\"{product.Image}\" alt=\"\" width=\"240\" height=\"240\"><p><a href=\"{product.Price}\">€</a></p>",
        product.Language);

    private static byte[] Document(string title, string body, string language) => Encoding.UTF8.GetBytes(
        $"<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{Encode(title)}</title></head>" +
        $"<body><h1>{Encode(title)}</h1>{body}</body></html>\n");

    private static string Encode(string text) => HtmlEncoder.Default.Encode(text);
}
