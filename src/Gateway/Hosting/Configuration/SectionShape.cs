using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Gateway.Hosting.Configuration;

/// <summary>
/// Compares a section with the type it binds to, and names every unknown key and every value that cannot be bound;
/// the framework's binder would stop at the first.
/// </summary>
internal static class SectionShape
{
    /// <summary>Adds what does not fit to <paramref name="errors"/>.</summary>
    public static void Check(IConfigurationSection section, Type type, ICollection<string> errors)
    {
        if (IsScalar(type))
            CheckScalar(section, type, errors);
        else if (DictionaryValueType(type) is { } valueType)
            CheckEach(section, valueType, "an object", errors);
        else if (ElementType(type) is { } elementType)
            CheckEach(section, elementType, "a list", errors);
        else
            CheckObject(section, type, errors);
    }

    /// <summary>The properties that configuration can set: those with a setter, and collections to be filled.</summary>
    public static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetIndexParameters().Length == 0)
            .Where(property => property.SetMethod is { IsPublic: true } || !IsScalar(property.PropertyType));

    public static bool IsScalar(Type type) => TypeDescriptor.GetConverter(Underlying(type)).CanConvertFrom(typeof(string));

    public static Type Underlying(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    public static Type? DictionaryValueType(Type type) => Argument(type, typeof(IDictionary<,>), 1)
        ?? Argument(type, typeof(IReadOnlyDictionary<,>), 1);

    public static Type? ElementType(Type type) => Argument(type, typeof(IEnumerable<>), 0);

    private static Type? Argument(Type type, Type definition, int index) =>
        type.GetInterfaces().Append(type)
            .FirstOrDefault(candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == definition)
            ?.GenericTypeArguments[index];

    private static void CheckEach(IConfigurationSection section, Type type, string expected, ICollection<string> errors)
    {
        RefuseValue(section, expected, errors);
        foreach (var child in section.GetChildren())
            Check(child, type, errors);
    }

    private static void CheckObject(IConfigurationSection section, Type type, ICollection<string> errors)
    {
        RefuseValue(section, "an object", errors);
        var properties = Properties(type).ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            if (properties.TryGetValue(child.Key, out var property))
                CheckProperty(child, property, errors);
            else
                errors.Add($"{child.Path}: there is no such key. {Known(properties.Keys)}");
        }
    }

    private static void CheckProperty(IConfigurationSection section, PropertyInfo property, ICollection<string> errors)
    {
        var before = errors.Count;
        Check(section, property.PropertyType, errors);
        if (errors.Count != before || section.Value is not { Length: > 0 } text || !IsScalar(property.PropertyType))
            return;

        var value = Convert(text, property.PropertyType);
        foreach (var rule in property.GetCustomAttributes<ValidationAttribute>().Where(rule => !rule.IsValid(value)))
            errors.Add($"{section.Path}: '{Shown(text)}' is not valid. {Fix(rule)}");
    }

    private static void CheckScalar(IConfigurationSection section, Type type, ICollection<string> errors)
    {
        if (section.GetChildren().Any())
        {
            errors.Add($"{section.Path}: holds more keys where one value belongs. Write {Expected(type)}.");
            return;
        }

        // The binder leaves the default in place for an empty value of a nullable type and for strings.
        if (section.Value is not { } text || (text.Length == 0 && Nullable.GetUnderlyingType(type) is not null))
            return;

        try
        {
            Convert(text, type);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            errors.Add($"{section.Path}: '{Shown(text)}' is not {Expected(type)}. Write {Expected(type)}.");
        }
    }

    private static void RefuseValue(IConfigurationSection section, string expected, ICollection<string> errors)
    {
        if (!string.IsNullOrEmpty(section.Value))
            errors.Add($"{section.Path}: '{Shown(section.Value)}' stands where {expected} belongs. Write {expected}.");
    }

    private static object? Convert(string text, Type type) =>
        TypeDescriptor.GetConverter(Underlying(type)).ConvertFromString(null, CultureInfo.InvariantCulture, text);

    private static string Known(Dictionary<string, PropertyInfo>.KeyCollection names) => names.Count == 0
        ? "Remove it: nothing can be configured here."
        : $"Write one of: {string.Join(", ", names)}.";

    private static string Fix(ValidationAttribute rule) => rule switch
    {
        RangeAttribute range => $"Write a value from {range.Minimum} to {range.Maximum}.",
        MaxLengthAttribute length => $"Write at most {length.Length} characters.",
        MinLengthAttribute length => $"Write at least {length.Length} characters.",
        _ => rule.FormatErrorMessage("The value"),
    };

    // What was written is repeated so that it is found again, but not at length: it might be a misplaced secret.
    private static string Shown(string text) => text.Length <= 40 ? text : $"{text[..20]}… ({text.Length} characters)";

    private static string Expected(Type type)
    {
        var underlying = Underlying(type);
        if (underlying.IsEnum)
            return $"one of {string.Join(", ", Enum.GetNames(underlying))}";
        return Type.GetTypeCode(underlying) switch
        {
            TypeCode.Boolean => "true or false",
            TypeCode.Byte or TypeCode.Int16 or TypeCode.Int32 or TypeCode.Int64 => "a whole number",
            TypeCode.Single or TypeCode.Double or TypeCode.Decimal => "a number",
            TypeCode.String => "a text",
            _ when underlying == typeof(TimeSpan) => "a time span such as 00:00:30",
            _ when underlying == typeof(Uri) => "a URL",
            _ => $"a {underlying.Name}",
        };
    }
}
