namespace SampleBackend.Catalog;

/// <summary>Section <c>Catalog</c>.</summary>
internal sealed class CatalogOptions
{
    /// <summary>The longest delay that may be configured.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    /// <summary>How long <c>/catalog/slow/{id}</c> takes: 0 to 30 s, default 1.5 s.</summary>
    public TimeSpan SlowDelay { get; set; } = TimeSpan.FromSeconds(1.5);
}
