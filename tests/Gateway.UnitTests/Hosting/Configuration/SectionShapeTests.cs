using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Configuration;

namespace Gateway.UnitTests.Hosting.Configuration;

public sealed class SectionShapeTests
{
    [Theory]
    [InlineData("Number", "12", null)]
    [InlineData("number", "12", null)]
    [InlineData("Number", "twelve", "S:Number: 'twelve' is not a whole number. Write a whole number.")]
    [InlineData("Number", "", "S:Number: '' is not a whole number. Write a whole number.")]
    [InlineData("Number", "101", "S:Number: '101' is not valid. Write a value from 1 to 100.")]
    [InlineData("Number:Deeper", "1", "S:Number: holds more keys where one value belongs. Write a whole number.")]
    [InlineData("Maybe", "", null)]
    [InlineData("Flag", "yes", "S:Flag: 'yes' is not true or false. Write true or false.")]
    [InlineData("Span", "soon", "S:Span: 'soon' is not a time span such as 00:01:00 or 1.00:00:00. Write a time span such as 00:01:00 or 1.00:00:00.")]
    [InlineData("Span", "60", "S:Span: '60' is not a time span such as 00:01:00 or 1.00:00:00. Write a time span such as 00:01:00 or 1.00:00:00.")]
    [InlineData("Span", "90:00:00", "S:Span: '90:00:00' is not a time span such as 00:01:00 or 1.00:00:00. Write a time span such as 00:01:00 or 1.00:00:00.")]
    [InlineData("Span", "1:00:00:00", "S:Span: '1:00:00:00' is not a time span such as 00:01:00 or 1.00:00:00. Write a time span such as 00:01:00 or 1.00:00:00.")]
    [InlineData("Span", "23:59:59.5", null)]
    [InlineData("Span", "00:01", null)]
    [InlineData("Span", "1.12:00:00", null)]
    [InlineData("Span", "90.00:00:00", null)]
    [InlineData("Kind", "Local", null)]
    [InlineData("Kind", "Near", "S:Kind: 'Near' is not one of Unspecified, Utc, Local. Write one of Unspecified, Utc, Local.")]
    [InlineData("Kind", "local", null)]
    [InlineData("Kind", "1", "S:Kind: '1' is not one of Unspecified, Utc, Local. Write one of Unspecified, Utc, Local.")]
    [InlineData("Kind", "Utc, Local", "S:Kind: 'Utc, Local' is not one of Unspecified, Utc, Local. Write one of Unspecified, Utc, Local.")]
    [InlineData("When", "soon", "S:When: 'soon' is not a time such as 2030-12-31T23:59:59Z. Write a time such as 2030-12-31T23:59:59Z.")]
    [InlineData("Version", "2", null)]
    [InlineData("Version", "1.1", null)]
    [InlineData("Version", "two", "S:Version: 'two' is not a version such as 1.1. Write a version such as 1.1.")]
    [InlineData("Flags:0", "Public", null)]
    [InlineData("Flags", "Public", "S:Flags: a value stands where a list belongs. Write a list.")]
    [InlineData("Key", "short", "S:Key: the value (a secret, not shown) is not valid. Write at least 16 characters.")]
    [InlineData("SecretNumber", "12a", "S:SecretNumber: the value (a secret, not shown) is not a whole number. Write a whole number.")]
    [InlineData("SecretList", "any", "S:SecretList: a value stands where a list belongs. Write a list.")]
    [InlineData("Numbr", "1", "S:Numbr: there is no such key. Did you mean 'Number'? Write one of: Number, Maybe, Flag, Span, Kind, When, Version, Flags, Key, SecretNumber, SecretList, List, Map, Items.")]
    [InlineData("List:0", "any", null)]
    [InlineData("List", "any", "S:List: a value stands where a list belongs. Write a list.")]
    [InlineData("Map:name:Number", "x", "S:Map:name:Number: 'x' is not a whole number. Write a whole number.")]
    [InlineData("Map:name:Typo", "x", "S:Map:name:Typo: there is no such key. Write one of: Number.")]
    [InlineData("Items:0:Number", "x", "S:Items:0:Number: 'x' is not a whole number. Write a whole number.")]
    [InlineData("Fixed", "x", "S:Fixed: there is no such key. Write one of: Number, Maybe, Flag, Span, Kind, When, Version, Flags, Key, SecretNumber, SecretList, List, Map, Items.")]
    public void A_value_fits_its_type_or_is_an_error_with_path_and_fix(string key, string value, string? expected)
    {
        var section = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { [$"S:{key}"] = value })
            .Build().GetSection("S");
        var errors = new List<string>();

        SectionShape.Check(section, typeof(Sample), errors);

        Assert.Equal(expected is null ? [] : [expected], errors);
    }

    [Fact]
    public void A_long_value_is_not_repeated_whole()
    {
        var section = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["S:Number"] = new string('s', 100) })
            .Build().GetSection("S");
        var errors = new List<string>();

        SectionShape.Check(section, typeof(Sample), errors);

        Assert.DoesNotContain(new string('s', 41), Assert.Single(errors), StringComparison.Ordinal);
    }

    private sealed class Sample
    {
        [Range(1, 100)]
        public int Number { get; set; } = 1;

        public int? Maybe { get; set; }

        public bool Flag { get; set; }

        public TimeSpan Span { get; set; }

        public DateTimeKind Kind { get; set; }

        public DateTimeOffset When { get; set; }

        public Version? Version { get; set; }

        public BindingFlags? Flags { get; set; }

        [Secret]
        [MinLength(16)]
        public string Key { get; set; } = "";

        [Secret]
        public int SecretNumber { get; set; }

        [Secret]
        public IList<string> SecretList { get; } = [];

        public IList<string> List { get; } = [];

        public IDictionary<string, Part> Map { get; } = new Dictionary<string, Part>();

        public IReadOnlyList<Part> Items { get; set; } = [];

        public int Fixed => 1;
    }

    private sealed class Part
    {
        public int Number { get; set; }
    }
}
