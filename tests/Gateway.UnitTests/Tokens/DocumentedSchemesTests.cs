using System.Text;
using System.Text.RegularExpressions;
using Gateway.Tokens;
using Gateway.UnitTests.Architecture;
using Microsoft.Extensions.Configuration;

namespace Gateway.UnitTests.Tokens;

/// <summary>Whoever copies an example of the documentation gets a gateway that starts.</summary>
public sealed partial class DocumentedSchemesTests
{
    [Theory]
    [InlineData("tokens.md", 3)]
    [InlineData("configuration.md", 1)]
    public void Every_example_of_schemes_is_a_valid_configuration(string document, int expected)
    {
        var schemes = 0;
        foreach (Match example in Examples().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", document))))
        {
            using var json = new MemoryStream(Encoding.UTF8.GetBytes($"{{ {example.Groups[1].Value} }}"));
            var section = new ConfigurationBuilder().AddJsonStream(json).Build().GetSection(TokensOptions.SectionName);
            var options = new TokensOptions();
            section.Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
            // The secret is set in the environment, as the text says.
            foreach (var scheme in options.Schemes.Values.Where(scheme => scheme.Introspection.Endpoint.Length > 0))
                scheme.Introspection.ClientSecret = "from the environment";

            Assert.Equal("", string.Join('\n', new TokensOptionsValidator().Validate(null, options).Failures ?? []));
            schemes += options.Schemes.Count;
        }

        Assert.Equal(expected, schemes);
    }

    // A block of JSON that has the section.
    [GeneratedRegex("```jsonc\n((?:(?!```)[\\s\\S])*?\"Tokens\"(?:(?!```)[\\s\\S])*?)```")]
    private static partial Regex Examples();
}
