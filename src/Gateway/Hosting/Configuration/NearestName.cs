namespace Gateway.Hosting.Configuration;

/// <summary>Finds what a misspelt name was meant to be.</summary>
internal static class NearestName
{
    private const int MaxDistance = 2;

    /// <summary><c>Did you mean 'Name'? </c> with the name of <paramref name="names"/> that is nearest, or nothing when none is near.</summary>
    public static string Suggest(string text, IEnumerable<string> names)
    {
        var nearest = names
            .Select(name => (Name: name, Distance: Distance(text.ToUpperInvariant(), name.ToUpperInvariant())))
            .Where(found => found.Distance <= MaxDistance && found.Distance * 2 < found.Name.Length)
            .OrderBy(found => found.Distance)
            .FirstOrDefault();
        return nearest.Name is null ? string.Empty : $"Did you mean '{nearest.Name}'? ";
    }

    // Levenshtein's: how many characters are to be inserted, removed or replaced.
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
