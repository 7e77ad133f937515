using System.Text;

namespace Gateway.Benchmarks.Reports;

/// <summary>A table of results.</summary>
/// <param name="Header">The names of the columns; the first holds text, the others numbers.</param>
/// <param name="Rows">As many cells as the header has.</param>
/// <param name="Note">What a reader must know.</param>
internal sealed record Table(IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows, string Note)
{
    public string ToMarkdown()
    {
        var widths = Header.Select((name, i) => Rows.Select(row => row[i].Length).Append(name.Length).Max()).ToArray();
        var text = new StringBuilder();
        Append(text, Header, widths);
        Append(text, [.. widths.Select((width, i) => i == 0 ? new string('-', width) : new string('-', width - 1) + ":")], widths);
        foreach (var row in Rows)
            Append(text, row, widths);
        return text.ToString();
    }

    private static void Append(StringBuilder text, IReadOnlyList<string> cells, int[] widths)
    {
        for (var i = 0; i < cells.Count; i++)
            text.Append("| ").Append(i == 0 ? cells[i].PadRight(widths[i]) : cells[i].PadLeft(widths[i])).Append(' ');
        text.Append("|\n");
    }
}
