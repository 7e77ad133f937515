using System.Globalization;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace Gateway.RateLimiting;

/// <summary>
/// The fields by which clients learn of limits: draft-ietf-httpapi-ratelimit-headers-10. Shadows are not told.
/// </summary>
internal static class RateLimitFields
{
    /// <summary>Says what holds (§3) and what is left (§4).</summary>
    public static void Write(IHeaderDictionary fields, RateLimitPolicy policy, ReadOnlySpan<LimitState> limits)
    {
        var policies = new StringBuilder();
        var states = new StringBuilder();
        var least = default(LimitState?);
        foreach (ref readonly var state in limits)
        {
            if (state.Limit.IsShadow)
                continue;
            AppendPolicy(policies, state);
            AppendState(states, state);
            if (least is null || state.Remaining < least.Value.Remaining)
                least = state;
        }

        if (least is not { } tightest)
            return;
        fields["RateLimit-Policy"] = policies.ToString();
        fields["RateLimit"] = states.ToString();
        if (policy.HasLegacyFields)
            WriteLegacy(fields, tightest);
    }

    /// <summary><c>Retry-After</c> (RFC 9110 §10.2.3): rounded up, never earlier than the truth.</summary>
    public static void WriteRetryAfter(IHeaderDictionary fields, TimeSpan wait) =>
        fields[HeaderNames.RetryAfter] = Text(Math.Max(1, Seconds(wait)));

    private static void AppendPolicy(StringBuilder text, in LimitState state)
    {
        Begin(text, state.Limit.Name).Append(CultureInfo.InvariantCulture, $";q={state.Permits}");
        if (state.Limit.Algorithm == RateLimitAlgorithm.Concurrency)
            text.Append(";qu=\"concurrent-requests\"");
        if (state.Limit.Span > TimeSpan.Zero)
            text.Append(CultureInfo.InvariantCulture, $";w={Seconds(state.Limit.Span)}");
    }

    private static void AppendState(StringBuilder text, in LimitState state)
    {
        Begin(text, state.Limit.Name).Append(CultureInfo.InvariantCulture, $";r={state.Remaining}");
        if (state.Limit.Algorithm != RateLimitAlgorithm.Concurrency)
            text.Append(CultureInfo.InvariantCulture, $";t={Seconds(state.Reset)}");
    }

    // Names are letters, digits, '-', '_' and '.': nothing to escape in a String of RFC 9651 §3.3.3.
    private static StringBuilder Begin(StringBuilder text, string name) => text.Append(text.Length == 0 ? "\"" : ", \"").Append(name).Append('"');

    private static void WriteLegacy(IHeaderDictionary fields, in LimitState state)
    {
        fields["X-RateLimit-Limit"] = Text(state.Permits);
        fields["X-RateLimit-Remaining"] = Text(state.Remaining);
        fields["X-RateLimit-Reset"] = Text(Seconds(state.Reset));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long Seconds(TimeSpan span) => (long)Math.Ceiling(span.TotalSeconds);
}
