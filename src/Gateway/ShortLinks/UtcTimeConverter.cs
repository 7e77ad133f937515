using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.ShortLinks;

/// <summary>Times of ISO 8601. One without an offset is UTC, as in CSV: the zone of the machine that is asked must not decide.</summary>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String && reader.TryGetDateTime(out var time) && time.Kind == DateTimeKind.Unspecified)
            return new DateTimeOffset(time, TimeSpan.Zero);
        if (reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var withOffset))
            return withOffset;
        throw new JsonException();
    }

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}
