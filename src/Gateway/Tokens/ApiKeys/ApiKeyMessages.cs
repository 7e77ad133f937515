namespace Gateway.Tokens.ApiKeys;

/// <summary>A key to make.</summary>
/// <param name="Scheme">Whose routes it opens; may be left out where only one scheme has keys.</param>
/// <param name="Owner">Whose it is, 1 to 256 characters: the claim <c>sub</c>.</param>
/// <param name="Scopes">What it allows: at most 50.</param>
/// <param name="Plan">The claim <c>plan</c>, by which limits and caches may differ: at most 64 characters.</param>
/// <param name="Expires">When it ends; absent: when it is revoked.</param>
/// <param name="Note">What it is for, at most 200 characters; shown as it is.</param>
internal sealed record ApiKeyRequest(
    string? Scheme = null, string? Owner = null, IReadOnlyList<string>? Scopes = null, string? Plan = null, DateTimeOffset? Expires = null, string? Note = null)
{
    private const int MaxOwner = 256;
    private const int MaxScopes = 50;
    private const int MaxScope = 100;
    private const int MaxPlan = 64;
    private const int MaxNote = 200;
    private const int MaxYears = 10;

    /// <summary>The scheme that the key is for; null when there are errors.</summary>
    public TokenScheme? Read(TokenSchemes schemes, DateTimeOffset now, Dictionary<string, string[]> errors)
    {
        var withKeys = schemes.All.Where(scheme => scheme.Kind == TokenKind.ApiKey).ToList();
        var chosen = Scheme is null && withKeys.Count == 1 ? withKeys[0] : withKeys.Find(scheme => scheme.Name.Equals(Scheme, StringComparison.OrdinalIgnoreCase));
        if (chosen is null)
            errors["scheme"] = [withKeys.Count == 0 ? "No scheme has ApiKeys:Enabled." : $"Write one of: {string.Join(", ", withKeys.Select(scheme => scheme.Name))}."];
        if (!IsText(Owner, MaxOwner) || Owner!.Length == 0)
            errors["owner"] = [$"Write 1 to {MaxOwner} characters."];
        if (Scopes is not null && (Scopes.Count > MaxScopes || Scopes.Any(scope => scope is null || scope.Length > MaxScope || !TokenRules.IsScope(scope))))
            errors["scopes"] = [$"Write at most {MaxScopes} of at most {MaxScope} characters each: printable ASCII without spaces, quotes and backslashes."];
        if (Plan is not null && (!IsText(Plan, MaxPlan) || Plan.Length == 0))
            errors["plan"] = [$"Write 1 to {MaxPlan} characters, or leave it out."];
        if (Expires <= now || Expires > now.AddYears(MaxYears))
            errors["expires"] = [$"Write a time in the next {MaxYears} years, or leave it out: the key then holds until it is revoked."];
        if (Note is not null && !IsText(Note, MaxNote))
            errors["note"] = [$"Write at most {MaxNote} characters."];
        return errors.Count == 0 ? chosen : null;
    }

    private static bool IsText(string? text, int max) => text is not null && text.Length <= max && !text.Any(char.IsControl);
}

/// <summary>How a key is rotated.</summary>
/// <param name="OverlapSeconds">For how long the key before passes too: 0 to 7,776,000, default 86,400. One that was rotated away earlier passes no more.</param>
internal sealed record RotateRequest(long? OverlapSeconds = null);

/// <summary>A key, this once.</summary>
/// <param name="Key">The key. It is kept nowhere: whoever loses it rotates it.</param>
/// <param name="ApiKey">What is kept.</param>
internal sealed record IssuedApiKey(string Key, ApiKeyResponse ApiKey)
{
    /// <summary>Names no value: the key is a secret.</summary>
    public override string ToString() => nameof(IssuedApiKey);
}

/// <summary>What is known of a key.</summary>
internal sealed record ApiKeyResponse(
    string Id, string Scheme, string Owner, IReadOnlyList<string> Scopes, string? Plan, string? Note, DateTimeOffset Created, DateTimeOffset? Expires,
    DateTimeOffset? Rotated, DateTimeOffset? PreviousUntil)
{
    public static ApiKeyResponse Of(string id, ApiKey key) => new(
        id, key.Scheme, key.Owner, key.Scopes, key.Plan, key.Note, DateTimeOffset.FromUnixTimeSeconds(key.Created), Time(key.Expires), Time(key.Rotated), Time(key.PreviousUntil));

    private static DateTimeOffset? Time(long? seconds) => seconds is { } some ? DateTimeOffset.FromUnixTimeSeconds(some) : null;
}

/// <summary>Keys in the order in which they end, those without an end last.</summary>
/// <param name="Keys">This page; keys that were revoked meanwhile are missing.</param>
/// <param name="Next">The next page; null: there is none.</param>
internal sealed record ApiKeyPage(IReadOnlyList<ApiKeyResponse> Keys, string? Next);

/// <summary>A key that was revoked.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Applied">With <c>wait</c>: nodes that refuse it.</param>
/// <param name="Silent">With <c>wait</c>: nodes that do not answer and have no lease; what they do is the scheme's <c>WhenRevocationUnknown</c>.</param>
/// <param name="Behind">With <c>wait</c>: nodes that had not applied it after 5 s; the answer is 202 then.</param>
internal sealed record RevokedApiKey(string Id, IReadOnlyList<string>? Applied, IReadOnlyList<string>? Silent, IReadOnlyList<string>? Behind);
