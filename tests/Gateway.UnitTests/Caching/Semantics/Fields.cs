using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>Messages for the tables: what a row does not say is left out of the message.</summary>
internal static class Fields
{
    public static DateTimeOffset Now { get; } = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>A field's lines, written in one text with <c>⏎</c> between them; null is no field.</summary>
    public static StringValues Lines(string? text) => text is null ? StringValues.Empty : new StringValues(text.Split('⏎'));

    public static RequestFacts Request(string? cacheControl = null, bool isAuthorized = false, string? ifNoneMatch = null, string? ifModifiedSince = null) => new()
    {
        CacheControl = CacheControl.Parse(Lines(cacheControl)),
        IsAuthorized = isAuthorized,
        IfNoneMatch = ifNoneMatch,
        IfModifiedSince = ifModifiedSince,
    };

    public static ResponseFacts Response(int status = 200, string? cacheControl = null) =>
        new() { Status = status, CacheControl = CacheControl.Parse(Lines(cacheControl)), Date = Now };

    /// <summary>A response that came <paramref name="age"/> seconds ago.</summary>
    public static StoredResponse Stored(string cacheControl, long lifetime, int age = 0, params (string Name, string Value)[] fields) => new()
    {
        Status = 200,
        Fields = [new("Cache-Control", cacheControl), .. fields.Select(field => KeyValuePair.Create(field.Name, new StringValues(field.Value)))],
        Body = "0123456789"u8.ToArray(),
        ResponseTime = Now.AddSeconds(-age),
        InitialAge = 0,
        FreshnessLifetime = lifetime,
        Stamp = default,
        Selectors = [],
    };

    public static IHeaderDictionary Header(params (string Name, string Value)[] fields)
    {
        var header = new HeaderDictionary();
        foreach (var (name, value) in fields)
            header.Append(name, value);
        return header;
    }
}
