using System.Globalization;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace Gateway.RateLimiting;

/// <summary>The fields by which clients learn of limits: draft-ietf-httpapi-ratelimit-headers-10.</summary>
internal static class RateLimitFields
{
    private const string Policy = "RateLimit-Policy";
    private const string State = "RateLimit";

    /// <summary>Says what holds (§3) and what is left (§4).</summary>
    public static void Write(IHeaderDictionary fields, IReadOnlyList<LimitState> limits)
    {
        var policies = new StringBuilder();
        var states = new StringBuilder();
        foreach (var state in limits)
        {
            var separator = policies.Length == 0 ? "" : ", ";
            policies.Append(CultureInfo.InvariantCulture, $"{separator}\"{state.Limit.Name}\";q={state.Limit.PermitLimit};w={Seconds(state.Limit.Window)}");
            states.Append(CultureInfo.InvariantCulture, $"{separator}\"{state.Limit.Name}\";r={state.Remaining};t={Seconds(state.Reset)}");
        }

        fields[Policy] = policies.ToString();
        fields[State] = states.ToString();
    }

    /// <summary><c>Retry-After</c> (RFC 9110 §10.2.3): rounded up, never earlier than the truth.</summary>
    public static void WriteRetryAfter(IHeaderDictionary fields, TimeSpan wait) =>
        fields[HeaderNames.RetryAfter] = Math.Max(1, Seconds(wait)).ToString(CultureInfo.InvariantCulture);

    private static long Seconds(TimeSpan span) => (long)Math.Ceiling(span.TotalSeconds);
}
