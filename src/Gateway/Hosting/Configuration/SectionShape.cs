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
    public static void Check(IConfigurationSection section, Type type, ICollection<string> errors) =>
        Check(section, type, isSecret: false, errors);

    /// <summary>Refuses the keys of <paramref name="section"/> that are not among <paramref name="names"/>.</summary>
    public static void CheckKeys(IConfigurationSection section, IReadOnlyCollection<string> names, ICollection<string> errors)
    {
        RefuseValue(section, "an object", errors);
        foreach (var child in section.GetChildren().Where(child => !names.Contains(child.Key, StringComparer.OrdinalIgnoreCase)))
            errors.Add(Unknown(child.Path, child.Key, names));
    }

    /// <summary>Checks the values of the keys that <paramref name="type"/> has, for sections in which other types find theirs.</summary>
    public static void CheckValues(IConfigurationSection section, Type type, ICollection<string> errors)
    {
        RefuseValue(section, "an object", errors);
        foreach (var property in Properties(type).Where(property => IsScalar(property.PropertyType)))
            CheckProperty(section.GetSection(property.Name), property, errors);
    }

    /// <summary>The error for a key that nothing reads.</summary>
    public static string Unknown(string path, string key, IReadOnlyCollection<string> names) => names.Count == 0
        ? $"{path}: there is no such key. Remove it: nothing can be configured here."
        : $"{path}: there is no such key. {NearestName.Suggest(key, names)}Write one of: {string.Join(", ", names)}.";

    private static void Check(IConfigurationSection section, Type type, bool isSecret, ICollection<string> errors)
    {
        if (IsSet(type))
            CheckEach(section, "a list", errors, child => CheckScalar(child, type, isSecret, errors));
        else if (IsScalar(type))
            CheckScalar(section, type, isSecret, errors);
        else if (DictionaryValueType(type) is { } valueType)
            CheckEach(section, "an object", errors, child => Check(child, valueType, isSecret, errors));
        else if (ElementType(type) is { } elementType)
            CheckEach(section, "a list", errors, child => Check(child, elementType, isSecret, errors));
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

    // Members that combine are written as a list of names.
    private static bool IsSet(Type type) => Underlying(type) is { IsEnum: true } members && members.IsDefined(typeof(FlagsAttribute));

    private static Type? Argument(Type type, Type definition, int index) =>
        type.GetInterfaces().Append(type)
            .FirstOrDefault(candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == definition)
            ?.GenericTypeArguments[index];

    private static void CheckEach(IConfigurationSection section, string expected, ICollection<string> errors, Action<IConfigurationSection> check)
    {
        RefuseValue(section, expected, errors);
        foreach (var child in section.GetChildren())
            check(child);
    }

    private static void CheckObject(IConfigurationSection section, Type type, ICollection<string> errors)
    {
        var properties = Properties(type).ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);
        CheckKeys(section, properties.Keys, errors);
        foreach (var child in section.GetChildren())
        {
            if (properties.TryGetValue(child.Key, out var property))
                CheckProperty(child, property, errors);
        }
    }

    private static void CheckProperty(IConfigurationSection section, PropertyInfo property, ICollection<string> errors)
    {
        var before = errors.Count;
        var isSecret = property.IsDefined(typeof(SecretAttribute));
        Check(section, property.PropertyType, isSecret, errors);
        if (errors.Count != before || section.Value is not { Length: > 0 } text || !IsScalar(property.PropertyType))
            return;

        var value = Convert(text, property.PropertyType);
        foreach (var rule in property.GetCustomAttributes<ValidationAttribute>().Where(rule => !rule.IsValid(value)))
            errors.Add($"{section.Path}: {Shown(text, isSecret)} is not valid. {Fix(rule)}");
    }

    private static void CheckScalar(IConfigurationSection section, Type type, bool isSecret, ICollection<string> errors)
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
            errors.Add($"{section.Path}: {Shown(text, isSecret)} is not {Expected(type)}. Write {Expected(type)}.");
        }
    }

    // The value is not repeated: a secret may have been written one level too high.
    private static void RefuseValue(IConfigurationSection section, string expected, ICollection<string> errors)
    {
        if (!string.IsNullOrEmpty(section.Value))
            errors.Add($"{section.Path}: a value stands where {expected} belongs. Write {expected}.");
    }

    private static object? Convert(string text, Type type)
    {
        var underlying = Underlying(type);
        if (underlying.IsEnum && !EnumName.IsOf(underlying, text))
            throw new FormatException();
        var value = TypeDescriptor.GetConverter(underlying)
            .ConvertFromString(null, CultureInfo.InvariantCulture, underlying == typeof(Version) ? WithMinor(text) : text);
        return value is TimeSpan span && !MeansWhatItSays(span, text) ? throw new FormatException() : value;
    }

    // YARP takes "2" for 2.0.
    private static string WithMinor(string version) => version.Contains('.', StringComparison.Ordinal) ? version : $"{version}.0";

    // The framework takes "60" for 60 days, and "90:00:00" too: days are meant only where a point follows them.
    private static bool MeansWhatItSays(TimeSpan span, string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon >= 0 && (span.Days == 0 || text.AsSpan(0, colon).Contains('.'));
    }

    private static string Fix(ValidationAttribute rule) => rule switch
    {
        RangeAttribute range => $"Write a value from {range.Minimum} to {range.Maximum}.",
        MaxLengthAttribute length => $"Write at most {length.Length} characters.",
        MinLengthAttribute length => $"Write at least {length.Length} characters.",
        _ => rule.FormatErrorMessage("The value"),
    };

    // What was written is repeated so that it is found again, but not at length: it might be a misplaced secret.
    private static string Shown(string text, bool isSecret)
    {
        if (isSecret)
            return "the value (a secret, not shown)";
        return text.Length <= 40 ? $"'{text}'" : $"'{text[..20]}… ({text.Length} characters)'";
    }

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
            _ when underlying == typeof(TimeSpan) => "a time span such as 00:01:00 or 1.00:00:00",
            _ when underlying == typeof(DateTimeOffset) => "a time such as 2030-12-31T23:59:59Z",
            _ when underlying == typeof(Version) => "a version such as 1.1",
            _ when underlying == typeof(Uri) => "a URL",
            _ => $"a {underlying.Name}",
        };
    }
}
