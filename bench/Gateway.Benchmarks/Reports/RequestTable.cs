using System.Globalization;
using Gateway.Benchmarks.Scenarios;

namespace Gateway.Benchmarks.Reports;

/// <summary>Medians over the rounds, and ratios to the baselines.</summary>
internal static class RequestTable
{
    public static Table Compose(
        IReadOnlyList<string> baselines, IReadOnlyList<Contestant> contestants, Dictionary<string, List<Sample>> samples)
    {
        var rows = contestants.Select(contestant =>
        {
            var own = samples[contestant.Label];
            var cpu = own.Select(sample => sample.Cpu).ToList();
            IReadOnlyList<string> row =
            [
                contestant.Label,
                Format(Median(own.Select(sample => sample.Rate)), "f0"),
                Format(100 * Median(own.Select(sample => sample.Load)), "f0"),
                Format(Median(cpu), "f1"),
                $"{Format(cpu.Min(), "f1")}–{Format(cpu.Max(), "f1")}",
                own[0].RedisCpu is null ? "" : Format(Median(own.Select(sample => sample.RedisCpu!.Value)), "f1"),
                .. baselines.Select(baseline => Ratio(own, samples[baseline])),
            ];
            return row;
        });
        return new Table(
            ["", "requests/s", "core %", "CPU µs/request", "least–most", "Redis CPU µs/request", .. baselines.Select(baseline => $"CPU × {baseline}")],
            [.. rows],
            $"Other processes used {Format(100 * Median(samples.Values.SelectMany(own => own.Select(sample => sample.Disturbance))), "f0")} % of the server's core (0 on a quiet machine). Medians of the rounds. A ratio is taken within each round, between neighbours in time; the median and the quartiles of these ratios are shown.");
    }

    public static double Median(IEnumerable<double> values) => Quantile(values, 0.5);

    public static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    // Within a round: what slows the whole machine down for a while slows both sides.
    private static string Ratio(List<Sample> own, List<Sample> baseline)
    {
        if (ReferenceEquals(own, baseline))
            return "1";
        var ratios = own.Zip(baseline, (a, b) => a.Cpu / b.Cpu).ToList();
        return $"{Format(Median(ratios), "f2")} ({Format(Quantile(ratios, 0.25), "f2")}–{Format(Quantile(ratios, 0.75), "f2")})";
    }

    public static double Quantile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        var position = share * (sorted.Length - 1);
        var below = (int)position;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }
}
