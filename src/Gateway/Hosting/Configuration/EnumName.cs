namespace Gateway.Hosting.Configuration;

/// <summary>
/// Reads the name of one member of an enumeration, as people write it. <see cref="Enum.TryParse{TEnum}(string, out TEnum)"/>
/// takes numbers too, and lists of names, whose values it combines into another member's.
/// </summary>
internal static class EnumName
{
    /// <summary>Whether <paramref name="text"/> is the name of exactly one member, in any case.</summary>
    public static bool TryParse<TEnum>(string? text, out TEnum value)
        where TEnum : struct, Enum
    {
        value = default;
        return IsOf(typeof(TEnum), text) && Enum.TryParse(text, ignoreCase: true, out value);
    }

    /// <summary>Whether <paramref name="text"/> is the name of exactly one member of <paramref name="type"/>, in any case.</summary>
    public static bool IsOf(Type type, string? text) => Enum.GetNames(type).Contains(text, StringComparer.OrdinalIgnoreCase);
}
