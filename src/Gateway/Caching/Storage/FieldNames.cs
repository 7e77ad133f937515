using System.Collections.Frozen;
using System.Reflection;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Gateway.Caching.Storage;

/// <summary>
/// The names of stored fields as the framework's own strings, where it has them: those are compared by reference when a
/// response is written, and not kept once per response.
/// </summary>
internal static class FieldNames
{
    private static readonly FrozenDictionary<string, string> Known = typeof(HeaderNames)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (string)field.GetValue(null)!)
        .Distinct(StringComparer.OrdinalIgnoreCase)
        .ToFrozenDictionary(name => name, StringComparer.OrdinalIgnoreCase);

    public static KeyValuePair<string, StringValues>[] Shared(KeyValuePair<string, StringValues>[] fields) =>
        Array.ConvertAll(fields, static field => Known.TryGetValue(field.Key, out var name) ? new(name, field.Value) : field);
}
