using System.Text;

namespace SampleBackend.Catalog;

/// <summary>A drawn picture of a product: the same bytes on every backend.</summary>
internal static class ProductImage
{
    private const int Rings = 12;

    public static byte[] Svg(Product product)
    {
        var seed = (int)(product.LastModified.ToUnixTimeSeconds() / 3600 % 360);
        var rings = Enumerable.Range(0, Rings).Select(ring =>
            $"<circle cx=\"120\" cy=\"120\" r=\"{110 - (ring * 9)}\" fill=\"hsl({(seed * 47 + ring * 11) % 360} 55% {45 + (ring * 4)}%)\"/>");
        return Encoding.UTF8.GetBytes(
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"240\" height=\"240\" viewBox=\"0 0 240 240\">{string.Concat(rings)}" +
            $"<text x=\"120\" y=\"130\" text-anchor=\"middle\" font-family=\"sans-serif\" font-size=\"28\">{product.Id}</text></svg>\n");
    }
}
