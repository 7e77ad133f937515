using System.Globalization;
using Gateway.Benchmarks.Scenarios;

namespace Gateway.Benchmarks;

/// <summary>What was asked for.</summary>
/// <param name="Scenarios">None: list what there is.</param>
/// <param name="Rounds">How often each contestant is measured, taking turns: 1 to 100.</param>
/// <param name="Seconds">How long each measurement lasts: 1 to 60.</param>
/// <param name="WarmUp">The seconds of load before each measurement: 1 to 10.</param>
/// <param name="Keys">How many URLs a crowd is let loose on: 1 to 1000.</param>
/// <param name="Answers">How many answers are checked for whose they are: 1000 to 10,000,000.</param>
/// <param name="Only">The contestants to measure besides the baselines; empty: all.</param>
internal sealed record BenchOptions(IReadOnlyList<Scenario> Scenarios, int Rounds, int Seconds, int WarmUp, int Keys, int Answers, IReadOnlyList<string> Only)
{
    public static string Help { get; } = $"""
        dotnet dev.cs bench SCENARIO... [--quick] [--rounds N] [--seconds S] [--only LABEL[,LABEL]...]

        {string.Join("\n", ScenarioList.All.Select(scenario => $"  {scenario.Name,-10} {scenario.Summary}\n             {string.Join(", ", scenario.Contestants.Select(contestant => contestant.Label))}"))}
          all        all of them, one after the other

          --quick        3 rounds of 2 s, 5 keys, to see that everything works: too few to compare
          --rounds N     rounds, in each of which every contestant is measured once; 1 to 100, default 9
          --seconds S    the length of one measurement; 1 to 60, default 5
          --keys N       collapse: URLs that nobody has yet, one after the other; 1 to 1000, default 50
          --answers N    collapse: answers checked for whose they are; 1000 to 10,000,000, default 10,000
          --only LABELS  these contestants and the baselines

        Results are printed and written to bench/results/. bench/README.md says how to read them.
        """;

    /// <exception cref="BenchException">The command line cannot be understood.</exception>
    public static BenchOptions Parse(string[] args)
    {
        var scenarios = new List<Scenario>();
        var (rounds, seconds, keys, answers, quick) = ((int?)null, (int?)null, (int?)null, 10_000, false);
        string[] only = [];
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--quick":
                    quick = true;
                    break;
                case "--rounds":
                    rounds = Number(args, ref i, 100);
                    break;
                case "--seconds":
                    seconds = Number(args, ref i, 60);
                    break;
                case "--keys":
                    keys = Number(args, ref i, 1000);
                    break;
                case "--answers":
                    answers = Number(args, ref i, 10_000_000, least: 1000);
                    break;
                case "--only":
                    only = Value(args, ref i).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                    break;
                case "--help" or "-h" or "help":
                    return new([], 0, 0, 0, 0, 0, []);
                default:
                    scenarios.AddRange(Named(args[i]));
                    break;
            }
        }

        foreach (var label in only.Where(label => !scenarios.Exists(scenario => scenario.Has(label))))
            throw new BenchException($"--only: no chosen scenario has '{label}'.\n\n{Help}");
        return new BenchOptions(scenarios, rounds ?? (quick ? 3 : 9), seconds ?? (quick ? 2 : 5), quick ? 1 : 2, keys ?? (quick ? 5 : 50), answers, only);
    }

    private static IReadOnlyList<Scenario> Named(string name)
    {
        if (name == "all")
            return ScenarioList.All;
        return ScenarioList.All.FirstOrDefault(scenario => scenario.Name == name) is { } found
            ? [found]
            : throw new BenchException($"There is no such scenario or option: {name}\n\n{Help}");
    }

    private static int Number(string[] args, ref int i, int max, int least = 1)
    {
        var name = args[i];
        return int.TryParse(Value(args, ref i), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= max
            ? number
            : throw new BenchException($"{name} takes a number from {least} to {max}.");
    }

    private static string Value(string[] args, ref int i) =>
        i + 1 < args.Length ? args[++i] : throw new BenchException($"{args[i]}: its value is missing.");
}
