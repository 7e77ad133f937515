using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Net.Http.Headers;

namespace Gateway.RateLimiting;

/// <summary>
/// The fields by which clients learn of limits: draft-ietf-httpapi-ratelimit-headers-10. Shadows are not told.
/// </summary>
internal static class RateLimitFields
{
    private static readonly string[] LegacyNames = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];

    /// <summary>Says what holds (§3) and what is left (§4).</summary>
    public static void Write(IHeaderDictionary fields, RateLimitPolicy policy, ReadOnlySpan<LimitState> limits)
    {
        var states = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[256]);
        var least = default(LimitState?);
        var isUsual = limits.Length == policy.Limits.Count;
        foreach (ref readonly var state in limits)
        {
            isUsual &= state.Permits == state.Limit.PermitLimit;
            if (state.Limit.IsShadow)
                continue;
            AppendState(ref states, state);
            if (least is null || state.Remaining < least.Value.Remaining)
                least = state;
        }

        var text = states.ToStringAndClear();
        if (least is not { } tightest)
            return;
        fields["RateLimit-Policy"] = isUsual ? policy.PolicyField : PolicyOf(limits);
        fields["RateLimit"] = text;
        if (policy.HasLegacyFields)
            WriteLegacy(fields, tightest);
    }

    /// <summary>
    /// Puts the gateway's legacy fields in place of the origin's of the same names, which would be added to them: no client
    /// reads two numbers. The other fields are lists.
    /// </summary>
    public static void KeepLegacy(HttpResponse response)
    {
        var own = Array.ConvertAll(LegacyNames, name => response.Headers[name]);
        // None where all limits are shadows.
        if (own[0].Count == 0)
            return;
        response.OnStarting(() =>
        {
            for (var i = 0; i < own.Length; i++)
                response.Headers[LegacyNames[i]] = own[i];
            return Task.CompletedTask;
        });
    }

    /// <summary>What holds (§3).</summary>
    public static string PolicyOf(ReadOnlySpan<LimitState> limits)
    {
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[256]);
        foreach (ref readonly var state in limits)
        {
            if (!state.Limit.IsShadow)
                AppendPolicy(ref text, state);
        }

        return text.ToStringAndClear();
    }

    /// <summary><c>Retry-After</c> (RFC 9110 §10.2.3): rounded up, never earlier than the truth.</summary>
    public static void WriteRetryAfter(IHeaderDictionary fields, TimeSpan wait) =>
        fields[HeaderNames.RetryAfter] = Text(Math.Max(1, Seconds(wait)));

    private static void AppendPolicy(ref DefaultInterpolatedStringHandler text, in LimitState state)
    {
        Begin(ref text, state.Limit);
        text.AppendLiteral(";q=");
        text.AppendFormatted(state.Permits);
        if (state.Limit.Algorithm == RateLimitAlgorithm.Concurrency)
            text.AppendLiteral(";qu=\"concurrent-requests\"");
        if (state.Limit.Span <= TimeSpan.Zero)
            return;
        text.AppendLiteral(";w=");
        text.AppendFormatted(Seconds(state.Limit.Span));
    }

    private static void AppendState(ref DefaultInterpolatedStringHandler text, in LimitState state)
    {
        Begin(ref text, state.Limit);
        text.AppendLiteral(";r=");
        text.AppendFormatted(state.Remaining);
        if (state.Limit.Algorithm == RateLimitAlgorithm.Concurrency)
            return;
        text.AppendLiteral(";t=");
        text.AppendFormatted(Seconds(state.Reset));
    }

    private static void Begin(ref DefaultInterpolatedStringHandler text, RateLimit limit)
    {
        if (!text.Text.IsEmpty)
            text.AppendLiteral(", ");
        text.AppendLiteral(limit.QuotedName);
    }

    private static void WriteLegacy(IHeaderDictionary fields, in LimitState state)
    {
        fields[LegacyNames[0]] = Text(state.Permits);
        fields[LegacyNames[1]] = Text(state.Remaining);
        fields[LegacyNames[2]] = Text(Seconds(state.Reset));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long Seconds(TimeSpan span) => (long)Math.Ceiling(span.TotalSeconds);
}
