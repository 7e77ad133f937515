namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>The checkout that these tests were built in.</summary>
internal static class RepositoryRoot
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(System.IO.Path.Combine(directory.FullName, "Gateway.sln")))
            directory = directory.Parent!;
        return directory.FullName;
    }
}
