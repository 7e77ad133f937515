using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Hosting.Configuration;

/// <summary>The JSON schema of the configuration files, made from the options classes, so that editors complete and check.</summary>
internal sealed class ConfigurationSchema(IEnumerable<ConfigurationSectionDescriptor> sections)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly XmlDocumentation _documentation = XmlDocumentation.OfThisProgram();

    /// <summary>The whole schema, always the same text for the same classes.</summary>
    public string Generate()
    {
        var properties = FrameworkSections();
        foreach (var section in sections.OrderBy(section => section.Path, StringComparer.Ordinal))
        {
            // What the class lacks is refused at start and at every reload.
            properties[section.Path] = Describe(section.OptionsType, Activator.CreateInstance(section.OptionsType));
        }

        var schema = new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["title"] = "Configuration of the gateway",
            ["description"] = "Generated from the options classes: 'dotnet dev.cs schema' writes it anew.",
            ["type"] = "object",
            ["properties"] = properties,
        };
        return schema.ToJsonString(Format) + "\n";
    }

    private JsonObject Describe(Type type, object? defaults)
    {
        if (SectionShape.IsScalar(type))
            return Scalar(SectionShape.Underlying(type));
        if (SectionShape.DictionaryValueType(type) is { } valueType)
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = Describe(valueType, Create(valueType)) };
        if (SectionShape.ElementType(type) is { } elementType)
            return new JsonObject { ["type"] = "array", ["items"] = Describe(elementType, Create(elementType)) };

        var properties = new JsonObject();
        foreach (var property in SectionShape.Properties(type))
            properties[property.Name] = DescribeProperty(property, defaults);
        var described = new JsonObject { ["type"] = "object" };
        AddDescription(described, _documentation.Of(type));
        described["properties"] = properties;
        described["additionalProperties"] = false;
        return described;
    }

    private JsonObject DescribeProperty(PropertyInfo property, object? defaults)
    {
        var value = defaults is null ? null : property.GetValue(defaults);
        var described = Describe(property.PropertyType, value ?? Create(property.PropertyType));
        AddDescription(described, _documentation.Of(property));
        if (SectionShape.IsScalar(property.PropertyType) && value is not null)
            described["default"] = Default(value);
        foreach (var rule in property.GetCustomAttributes<ValidationAttribute>())
            AddRule(described, rule);
        return described;
    }

    private static JsonObject Scalar(Type type)
    {
        if (type.IsEnum)
            return new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. Enum.GetNames(type).Select(name => (JsonNode)name)]) };
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean => new JsonObject { ["type"] = "boolean" },
            TypeCode.Byte or TypeCode.Int16 or TypeCode.Int32 or TypeCode.Int64 => new JsonObject { ["type"] = "integer" },
            TypeCode.Single or TypeCode.Double or TypeCode.Decimal => new JsonObject { ["type"] = "number" },
            _ when type == typeof(TimeSpan) => new JsonObject { ["type"] = "string", ["pattern"] = @"^-?(\d+\.)?\d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,7})?)?$" },
            _ when type == typeof(Uri) => new JsonObject { ["type"] = "string", ["format"] = "uri" },
            _ => new JsonObject { ["type"] = "string" },
        };
    }

    private static JsonNode? Default(object value) => value switch
    {
        Enum => value.ToString(),
        TimeSpan span => span.ToString("c", CultureInfo.InvariantCulture),
        bool or byte or short or int or long or float or double or decimal => JsonSerializer.SerializeToNode(value),
        _ => value.ToString(),
    };

    private static void AddRule(JsonObject described, ValidationAttribute rule)
    {
        if (rule is RangeAttribute { OperandType: var operand } range && operand != typeof(string))
        {
            if (range.Minimum is int or double or long)
            {
                described["minimum"] = JsonSerializer.SerializeToNode(range.Minimum);
                described["maximum"] = JsonSerializer.SerializeToNode(range.Maximum);
            }
        }
        else if (rule is MinLengthAttribute minimum)
        {
            described[(string?)described["type"] == "array" ? "minItems" : "minLength"] = minimum.Length;
        }
        else if (rule is MaxLengthAttribute maximum)
        {
            described[(string?)described["type"] == "array" ? "maxItems" : "maxLength"] = maximum.Length;
        }
    }

    private static void AddDescription(JsonObject described, string? text)
    {
        if (text is not null)
            described["description"] = text;
    }

    private static object? Create(Type type) =>
        SectionShape.IsScalar(type) || type.GetConstructor(Type.EmptyTypes) is null ? null : Activator.CreateInstance(type);

    private static JsonObject FrameworkSections() => new()
    {
        ["$schema"] = new JsonObject { ["type"] = "string" },
        ["Urls"] = Text($"Where the public listener listens: URLs separated by semicolons. Default: {Listeners.DefaultPublicUrl}. A change needs a restart."),
        ["AllowedHosts"] = Text("Hosts that requests may name, separated by semicolons; '*.example.org' matches subdomains. Default: *, every host."),
        ["Logging"] = Open("ASP.NET Core's logging: LogLevel:<category>, Console."),
        ["Kestrel"] = Open("ASP.NET Core's web server: Endpoints (instead of Urls), Certificates, Limits. A change needs a restart."),
        ["ReverseProxy"] = new JsonObject
        {
            ["type"] = "object",
            ["description"] = "YARP's own section, unchanged: see the YARP documentation.",
            ["properties"] = new JsonObject
            {
                ["Routes"] = OpenMap("Routes by name: Match, ClusterId, OutputCachePolicy, RateLimiterPolicy, AuthorizationPolicy, Transforms …"),
                ["Clusters"] = OpenMap("Clusters by name: Destinations, LoadBalancingPolicy, SessionAffinity, HealthCheck, HttpClient …"),
            },
        },
    };

    private static JsonObject Text(string description) => new() { ["type"] = "string", ["description"] = description };

    private static JsonObject Open(string description) => new() { ["type"] = "object", ["description"] = description };

    private static JsonObject OpenMap(string description) =>
        new() { ["type"] = "object", ["description"] = description, ["additionalProperties"] = new JsonObject { ["type"] = "object" } };
}
