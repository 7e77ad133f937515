using System.Text.RegularExpressions;

namespace Gateway.UnitTests.Architecture;

public sealed partial class SourceRules
{
    private const int MaxLines = 400;
    private const int MaxLinesOfDev = 300;

    // What features may share; everything else is theirs alone.
    private static readonly string[] Features = ["Caching", "RateLimiting", "Tokens", "Sessions", "ShortLinks"];
    private static readonly string[] Shared = ["Gateway.Redis", "Gateway.ChangeLog", "Gateway.Hosting.Configuration"];

    [Fact]
    public void Every_file_fits_400_lines_and_dev_300()
    {
        var tooLong = Repository.Sources("src").Concat(Repository.Sources("tests")).Concat(Repository.Sources("bench"))
            .Select(file => (File: file, Lines: Repository.Read(file).Count(character => character == '\n'), Max: MaxLines))
            .ToList();
        var dev = Path.Combine(Repository.Root, "dev.cs");
        if (File.Exists(dev))
            tooLong.Add(("dev.cs", Repository.Read("dev.cs").Count(character => character == '\n'), MaxLinesOfDev));

        Assert.Empty(tooLong.Where(file => file.Lines > file.Max).Select(file => $"{file.File}: {file.Lines}"));
    }

    [Fact]
    public void Namespaces_mirror_folders()
    {
        var wrong = Repository.Sources("src", "Gateway")
            .Select(file => (File: file, Namespace: Namespace().Match(Repository.Read(file)).Groups[1].Value, Expected: Expected(file)))
            .Where(file => file.Namespace.Length > 0 && file.Namespace != file.Expected && !IsAtTheRoot(file.File, file.Namespace));

        Assert.Empty(wrong.Select(file => $"{file.File}: {file.Namespace} instead of {file.Expected}"));

        static string Expected(string file) => Path.GetDirectoryName(file)!.Replace('\\', '/')["src/".Length..].Replace('/', '.');

        // Names that the whole product shares, such as the meter's.
        static bool IsAtTheRoot(string file, string name) => name == "Gateway" && file.StartsWith("src/Gateway/Hosting/", StringComparison.Ordinal);
    }

    [Fact]
    public void Features_depend_on_no_other_feature()
    {
        var wrong =
            from feature in Features
            from file in Repository.Sources("src", "Gateway", feature)
            from used in UsedNamespaces(Repository.Read(file))
            where used != $"Gateway.{feature}" && !used.StartsWith($"Gateway.{feature}.", StringComparison.Ordinal)
            where !Shared.Contains(used)
            select $"{file}: {used}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void The_rules_of_caching_know_no_request_no_IO_and_no_clock()
    {
        // Fields are passed as values or as HeaderDictionary-like types; "now" is an argument.
        var wrong =
            from file in Repository.Sources("src", "Gateway", "Caching", "Semantics")
            from Match match in Impure().Matches(WithoutComments(Repository.Read(file)))
            select $"{file}: {match.Value}";

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("var now = TimeProvider.System.GetUtcNow();", true)]
    [InlineData("void Decide(HttpContext context)", true)]
    [InlineData("await store.ReadAsync()", true)]
    [InlineData("using System.IO;", true)]
    [InlineData("using Gateway.Redis;", true)]
    [InlineData("static TimeSpan Age(DateTimeOffset now, DateTimeOffset date) => now - date;", false)]
    [InlineData("// the clock of HttpContext", false)]
    public void The_check_for_purity_finds_what_it_should(string source, bool impure) =>
        Assert.Equal(impure, Impure().IsMatch(WithoutComments(source)));

    [Theory]
    [InlineData("using Gateway.Tokens;", "Gateway.Tokens")]
    [InlineData("var x = Gateway.Sessions.SessionKey.Of(1);", "Gateway.Sessions")]
    [InlineData("using static Gateway.Hosting.Listeners;", "Gateway.Hosting")]
    [InlineData("// Gateway.Tokens is another feature", null)]
    public void The_check_for_dependencies_finds_what_it_should(string source, string? used) =>
        Assert.Equal(used is null ? [] : [used], UsedNamespaces(source));

    private static IEnumerable<string> UsedNamespaces(string source) =>
        Qualified().Matches(Own().Replace(WithoutComments(source), string.Empty))
            .Select(match => match.Groups[1].Value)
            .Where(KnownNamespaces.Value.Contains)
            .Distinct(StringComparer.Ordinal);

    private static readonly Lazy<HashSet<string>> KnownNamespaces = new(() =>
        [.. typeof(Program).Assembly.GetTypes().Select(type => type.Namespace).OfType<string>(), .. Features.Select(feature => $"Gateway.{feature}")]);

    private static string WithoutComments(string source) => Comments().Replace(source, string.Empty);

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^namespace .*$", RegexOptions.Multiline)]
    private static partial Regex Own();

    [GeneratedRegex(@"\b(Gateway(?:\.(?:Redis|ChangeLog|Hosting|Configuration|Caching|Semantics|Keys|Storage|Fetch|Invalidation|RateLimiting|Tokens|Sessions|ShortLinks|Admin))+)\b")]
    private static partial Regex Qualified();

    [GeneratedRegex(@"//.*?$|/\*.*?\*/", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"\bHttp(Context|Request|Response|Client)\b|\bTimeProvider\b|\bStopwatch\b|\bUtcNow\b|\bawait\b|\basync\b|\bTask\b|\bStream\b|\bFile\b|System\.IO\b|System\.Net\.Sockets\b|StackExchange|Gateway\.(Redis|ChangeLog|Hosting|Admin)|\bRandom\b|\bEnvironment\b|Microsoft\.Extensions\.(Logging|Options|DependencyInjection)")]
    private static partial Regex Impure();
}
