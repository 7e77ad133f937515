using System.Globalization;
using Gateway.Caching.Semantics;

namespace Gateway.Caching.Fetch;

/// <summary>What a node tells the others of its fetch: how it ended, or, before that, which variant it fetches.</summary>
/// <param name="Outcome">How it ended; null: nothing was said.</param>
/// <param name="Rule">The response's <c>Vary</c>, where its body is still coming.</param>
/// <param name="Variant">A hash of the variant's key, with <paramref name="Rule"/>.</param>
internal readonly record struct FetchSignal(FetchOutcome? Outcome, VaryRule? Rule = null, string? Variant = null)
{
    /// <summary><c>outcome</c>, or <c>outcome:variant:name,name</c>.</summary>
    public override string ToString()
    {
        var outcome = ((int)Outcome.GetValueOrDefault()).ToString(CultureInfo.InvariantCulture);
        return Rule is null ? outcome : $"{outcome}:{Variant}:{string.Join(',', Rule.Names)}";
    }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string text, out FetchSignal signal)
    {
        var parts = text.Split(':');
        signal = default;
        if (!Enum.TryParse<FetchOutcome>(parts[0], out var outcome) || !Enum.IsDefined(outcome))
            return false;
        signal = parts is [_, { Length: > 0 } variant, { Length: > 0 } names]
            ? new FetchSignal(outcome, VaryRule.FromNames(names.Split(',')), variant)
            : new FetchSignal(outcome);
        return true;
    }
}
