namespace Gateway.Benchmarks;

/// <summary>The checkout that this was built in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Gateway.sln")))
                return folder.FullName;
        }

        throw new BenchException("The benchmarks run inside a checkout of the repository, which was not found.");
    }
}
