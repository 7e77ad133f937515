using System.Text.Json;
using System.Text.Unicode;

namespace Gateway.Tokens;

/// <summary>
/// JSON that others wrote (RFC 8259): one value and nothing after it, no name twice, only text that is Unicode. Whatever
/// can be read in two ways could mean one thing here and another behind.
/// </summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <returns>Null when <paramref name="octets"/> are no such JSON. Reading texts of the document never throws.</returns>
    public static JsonDocument? TryParse(ReadOnlyMemory<byte> octets)
    {
        try
        {
            return Utf8.IsValid(octets.Span) && HasOnlyWholeTexts(octets.Span) ? JsonDocument.Parse(octets, Strict) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Half of a surrogate pair can be escaped (RFC 8259 §8.2); the parser passes it, and only who reads the text learns of it.
    private static bool HasOnlyWholeTexts(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                    _ = reader.GetString();
            }

            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
