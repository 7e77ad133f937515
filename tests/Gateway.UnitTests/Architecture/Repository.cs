using System.Runtime.CompilerServices;

namespace Gateway.UnitTests.Architecture;

/// <summary>The sources that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", ".."));

    public static string Product => Path.Combine(Root, "src", "Gateway");

    /// <summary>The C# files below <paramref name="folder"/>, as paths relative to the root with <c>/</c>.</summary>
    public static IReadOnlyList<string> Sources(params string[] folder)
    {
        var start = Path.Combine([Root, .. folder]);
        return !Directory.Exists(start)
            ? []
            : [.. Directory.EnumerateFiles(start, "*.cs", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
                .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))];
    }

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
