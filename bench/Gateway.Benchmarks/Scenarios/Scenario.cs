using Gateway.Benchmarks.Reports;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>One question, answered by contestants side by side.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Summary">The question.</param>
/// <param name="Baselines">The labels that the others are compared with.</param>
/// <param name="Contestants">Who is measured, in the order of the table.</param>
/// <param name="Measure">How.</param>
internal sealed record Scenario(
    string Name,
    string Summary,
    IReadOnlyList<string> Baselines,
    IReadOnlyList<Contestant> Contestants,
    Func<Scenario, Field, BenchOptions, CancellationToken, Task<Table>> Measure)
{
    public bool Has(string label) => Contestants.Any(contestant => contestant.Label == label);

    /// <summary>The contestants in <paramref name="only"/> and the baselines; all, where it names none.</summary>
    public IReadOnlyList<Contestant> Chosen(IReadOnlyList<string> only) =>
        [.. Contestants.Where(contestant => only.Count == 0 || only.Contains(contestant.Label) || Baselines.Contains(contestant.Label))];
}
