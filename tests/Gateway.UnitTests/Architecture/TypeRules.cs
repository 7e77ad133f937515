using System.Reflection;
using System.Xml.Linq;
using Gateway.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.UnitTests.Architecture;

public sealed class TypeRules
{
    private static readonly Assembly Product = typeof(Program).Assembly;

    [Fact]
    public void An_interface_has_two_implementations_or_does_not_exist()
    {
        var types = Product.GetTypes();
        var wrong = types
            .Where(type => type.IsInterface && type.Namespace?.StartsWith(nameof(Gateway), StringComparison.Ordinal) == true)
            .Where(type => types.Count(candidate => candidate is { IsClass: true, IsAbstract: false } && type.IsAssignableFrom(candidate)) < 2);

        Assert.Empty(wrong.Select(type => type.FullName));
    }

    [Fact]
    public void Public_types_and_their_members_are_documented()
    {
        var documented = XDocument.Load(Path.ChangeExtension(Product.Location, ".xml")).Descendants("member")
            .Where(member => !string.IsNullOrWhiteSpace(member.Value) || member.Descendants("inheritdoc").Any())
            .Select(member => (string)member.Attribute("name")!)
            .ToHashSet(StringComparer.Ordinal);
        var names = Product.GetExportedTypes().SelectMany(type => type
            .GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Select(property => $"P:{type.FullName}.{property.Name}")
            .Prepend($"T:{type.FullName}"));

        var undocumented = names.Select(name => name.Replace('+', '.')).Except(documented);
        Assert.Empty(undocumented);
    }

    [Fact]
    public async Task Every_options_class_is_a_section_or_part_of_one_and_in_the_schema()
    {
        await using var app = await Program.BuildAsync(["--Redis:Configuration=127.0.0.1:1"]);
        var sections = app.Services.GetServices<ConfigurationSectionDescriptor>().ToList();
        var covered = new HashSet<Type>();
        foreach (var section in sections)
            Cover(section.OptionsType, covered);

        var options = Product.GetExportedTypes().Where(type => type is { IsClass: true, IsAbstract: false } && type.Name.EndsWith("Options", StringComparison.Ordinal));
        var missing = options.Select(type => type.FullName!).Except(covered.Select(type => type.FullName!));
        Assert.Empty(missing);
        Assert.Equal(sections.Count, sections.DistinctBy(section => section.Path).Count());
    }

    [Fact]
    public async Task The_committed_schema_is_the_generated_one()
    {
        await using var app = await Program.BuildAsync(["--Redis:Configuration=127.0.0.1:1"]);
        var generated = new ConfigurationSchema(app.Services.GetServices<ConfigurationSectionDescriptor>()).Generate();

        var committed = await File.ReadAllTextAsync(Path.Combine(Repository.Product, "appsettings.schema.json"));

        Assert.True(generated == committed, "appsettings.schema.json is out of date: run 'dotnet dev.cs schema'.");
    }

    private static void Cover(Type type, HashSet<Type> covered)
    {
        if (SectionShape.IsScalar(type) || !covered.Add(type))
            return;
        var inner = SectionShape.DictionaryValueType(type) ?? SectionShape.ElementType(type);
        if (inner is not null)
            Cover(inner, covered);
        else
            SectionShape.Properties(type).ToList().ForEach(property => Cover(property.PropertyType, covered));
    }
}
