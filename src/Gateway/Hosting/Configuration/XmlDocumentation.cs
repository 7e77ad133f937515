using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Gateway.Hosting.Configuration;

/// <summary>The summaries of the options classes, as the compiler wrote them beside the program.</summary>
internal sealed partial class XmlDocumentation
{
    private readonly Dictionary<string, string> _summaries;

    private XmlDocumentation(Dictionary<string, string> summaries) => _summaries = summaries;

    public static XmlDocumentation OfThisProgram()
    {
        var assembly = typeof(XmlDocumentation).Assembly;
        var path = Path.Combine(AppContext.BaseDirectory, $"{assembly.GetName().Name}.xml");
        var summaries = XDocument.Load(path).Descendants("member")
            .Where(member => member.Element("summary") is not null)
            .ToDictionary(member => (string)member.Attribute("name")!, member => Text(member.Element("summary")!));
        return new XmlDocumentation(summaries);
    }

    public string? Of(Type type) => _summaries.GetValueOrDefault($"T:{Name(type)}");

    public string? Of(MemberInfo member) =>
        _summaries.GetValueOrDefault($"{(member is PropertyInfo ? 'P' : 'F')}:{Name(member.DeclaringType!)}.{member.Name}");

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    // References become the last part of what they name: "P:Gateway.Redis.RedisOptions.Configuration" → Configuration.
    private static string Text(XElement element)
    {
        var parts = element.Nodes().Select(node => node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "see" } see => see.Attribute("cref") is { } cref
                ? cref.Value.Split('(')[0].Split('.', ':')[^1]
                : (string?)see.Attribute("langword") ?? see.Value,
            XElement { Name.LocalName: "paramref" } reference => (string)reference.Attribute("name")!,
            XElement { Name.LocalName: "para" } para => Text(para) + " ",
            XElement other => other.Value,
            _ => string.Empty,
        });
        return Whitespace().Replace(string.Concat(parts), " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();
}
