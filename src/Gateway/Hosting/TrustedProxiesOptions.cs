using System.ComponentModel.DataAnnotations;

namespace Gateway.Hosting;

/// <summary>
/// Whose <c>X-Forwarded-For</c>, <c>X-Forwarded-Proto</c> and <c>X-Forwarded-Host</c> fields are believed. From
/// everyone else, which is everyone by default, they are ignored.
/// </summary>
public sealed class TrustedProxiesOptions
{
    /// <summary>The configuration section, <c>ForwardedHeaders</c>.</summary>
    public const string SectionName = "ForwardedHeaders";

    /// <summary>Addresses of trusted proxies, such as <c>10.0.0.7</c>. Default: none. A change needs a restart.</summary>
    public IList<string> KnownProxies { get; } = [];

    /// <summary>Networks of trusted proxies, such as <c>10.0.0.0/8</c>. Default: none. A change needs a restart.</summary>
    public IList<string> KnownNetworks { get; } = [];

    /// <summary>How many proxies stand in a row at most: 1 to 100, default 1. A change needs a restart.</summary>
    [Range(1, 100)]
    public int ForwardLimit { get; set; } = 1;
}
