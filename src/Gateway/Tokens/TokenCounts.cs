using System.Diagnostics.Metrics;

namespace Gateway.Tokens;

/// <summary>Where the result of a validation came from.</summary>
internal enum TokenSource
{
    /// <summary>This node knew it.</summary>
    Memory,

    /// <summary>Another node had found it out, or it is an API key, which is kept there.</summary>
    Redis,

    /// <summary>The token was verified here.</summary>
    Validation,

    /// <summary>The provider was asked.</summary>
    Introspection,
}

/// <summary>What became of the requests of one scheme. Counted here and read when somebody asks: most requests need little more than their token's hash.</summary>
internal sealed class TokenCounts(string scheme)
{
    private static readonly string[] Outcomes = ["accepted", "missing", "unavailable", "revocation_unknown", .. Enum.GetNames<TokenRefusal>()];
    private static readonly string[] Sources = [.. Enum.GetNames<TokenSource>().Select(name => name.ToLowerInvariant())];

    private readonly StripedCounts _requests = new(Outcomes.Length);
    private readonly StripedCounts _lookups = new(Sources.Length);

    public void Missing() => _requests.Increment(1);

    public void Request(in TokenResult result) => _requests.Increment(result.Verdict switch
    {
        TokenVerdict.Accepted => 0,
        TokenVerdict.Unavailable => 2,
        TokenVerdict.RevocationUnknown => 3,
        _ => 4 + (int)result.Refusal,
    });

    public void Lookup(TokenSource source) => _lookups.Increment((int)source);

    public IEnumerable<Measurement<long>> ReadRequests() => Read(_requests, Outcomes, "outcome");

    public IEnumerable<Measurement<long>> ReadLookups() => Read(_lookups, Sources, "source");

    private IEnumerable<Measurement<long>> Read(StripedCounts counts, string[] names, string tag)
    {
        for (var i = 0; i < names.Length; i++)
        {
            if (counts.Sum(i) is > 0 and var count)
                yield return new Measurement<long>(count, new("scheme", scheme), new(tag, names[i]));
        }
    }
}
