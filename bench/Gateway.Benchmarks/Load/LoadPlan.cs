using Gateway.Benchmarks.Servers;

namespace Gateway.Benchmarks.Load;

/// <summary>What is requested, and what must come back for a measurement to count.</summary>
internal sealed record LoadPlan
{
    /// <summary>The beginning of the path; a number follows.</summary>
    public required string Prefix { get; init; }

    /// <summary>How many URLs are requested in turn; null: each request another one, never requested before.</summary>
    public int? Urls { get; init; } = 2000;

    /// <summary>Request fields.</summary>
    public IReadOnlyList<(string Name, string Value)> Fields { get; init; } = [("Accept-Encoding", "gzip, br")];

    /// <summary>Whether each request must reach the origin; else none may.</summary>
    public bool ReachesOrigin { get; init; }

    /// <summary>The status of each answer.</summary>
    public int Status { get; init; } = 200;

    /// <summary>The bytes of each answer's body; null: any, since it is not what was asked for.</summary>
    public int? BodySize { get; init; } = Content.ItemSize;
}
