namespace Gateway.Benchmarks.Peers;

/// <summary>Varnish with its built-in rules, in front of one origin, everything in memory.</summary>
internal static class VarnishServer
{
    public static IEnumerable<string> Command(string folder, int port, int originPort)
    {
        var path = Path.Combine(folder, "bench.vcl");
        File.WriteAllText(path, $$"""
            vcl 4.1;
            backend default { .host = "127.0.0.1"; .port = "{{originPort}}"; }
            """);
        // Without a jail: the folder is this user's, and so is the process.
        return ["varnishd", "-F", "-j", "none", "-n", Path.Combine(folder, "work"), "-a", $"127.0.0.1:{port}", "-f", path, "-s", "malloc,512m"];
    }
}
