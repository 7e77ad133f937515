namespace Gateway.Tokens.ApiKeys;

/// <summary>Keys that this gateway itself gives out, on the admin listener at <c>/api-keys</c>.</summary>
public sealed class ApiKeyOptions
{
    /// <summary>Whether the scheme's tokens are such keys, in place of signed or opaque tokens. Default: false.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// The request field that holds the key. Default: <c>X-Api-Key</c>. With <c>Authorization</c> it is sent as
    /// <c>Bearer</c>. Never the query: URLs are logged and remembered everywhere.
    /// </summary>
    public string Field { get; set; } = "X-Api-Key";

    /// <summary>
    /// What keys begin with, so that scanners of published code recognise leaked ones: 2 to 12 lower-case letters and
    /// digits, a letter first. Default: <c>gwk</c>. Keys with another prefix are refused after a change.
    /// </summary>
    public string Prefix { get; set; } = "gwk";

    /// <summary>Whether backends receive the field too. Default: false, and they learn of the caller by <c>Forward</c> alone.</summary>
    public bool KeepField { get; set; }
}
