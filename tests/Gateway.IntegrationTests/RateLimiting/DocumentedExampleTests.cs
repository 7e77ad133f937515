using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.RateLimiting;

/// <summary>What <c>docs/rate-limits.md</c> shows is what a gateway with its example does.</summary>
public sealed partial class DocumentedExampleTests : LimitedNodes
{
    [Fact]
    public async Task The_example_runs_and_answers_with_the_fields_that_the_page_shows()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Path, "docs", "rate-limits.md"));
        var config = JsonNode.Parse(Example().Match(page).Groups["json"].Value)!;
        config["ReverseProxy"]!["Clusters"] = JsonNode.Parse($$"""{ "api": { "Destinations": { "one": { "Address": "{{Origin.Address}}" } } } }""");
        config["Redis"] = JsonNode.Parse("""{ "Deadline": "00:00:02" }""");
        Origin.Map("/api/x", "body");
        var node = await StartWithAsync(config.ToJsonString());

        using var response = await node.SendAsync("/api/x");

        Assert.Equal(200, (int)response.StatusCode);
        // But for the time, which in a sliding window depends on when in its hundredth the request comes.
        foreach (var name in new[] { "RateLimit-Policy", "RateLimit" })
            Assert.Contains($"\n{name}: {WithoutTime(response.Headers.GetValues(name).Single())}\n", WithoutTime(page), StringComparison.Ordinal);
    }

    private static string WithoutTime(string text) => Time().Replace(text, ";t=");

    [GeneratedRegex(";t=[0-9]+")]
    private static partial Regex Time();

    [GeneratedRegex("```json\n(?<json>.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
