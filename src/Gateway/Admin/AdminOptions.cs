using System.ComponentModel.DataAnnotations;
using Gateway.Hosting.Configuration;

namespace Gateway.Admin;

/// <summary>The admin listener: health, metrics, and the features' own endpoints.</summary>
public sealed class AdminOptions
{
    /// <summary>The configuration section, <c>Admin</c>.</summary>
    public const string SectionName = "Admin";

    /// <summary>
    /// Where the admin listener listens: URLs separated by semicolons, default <c>http://localhost:8081</c>. Anything
    /// but loopback demands an <see cref="ApiKey"/>. A change needs a restart.
    /// </summary>
    public string Urls { get; set; } = "http://localhost:8081";

    /// <summary>
    /// What callers send as <c>Authorization: Bearer …</c> or <c>X-Api-Key</c>: at least 16 characters. Default: none,
    /// which admits every program on this machine, but no web page. A change applies at once.
    /// </summary>
    [MinLength(16)]
    [Secret]
    public string? ApiKey { get; set; }
}
