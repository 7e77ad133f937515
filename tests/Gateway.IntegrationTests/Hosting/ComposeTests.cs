using System.Text.RegularExpressions;
using Gateway.Hosting;
using Gateway.Hosting.Configuration;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Gateway.IntegrationTests.Hosting;

/// <summary>docker-compose.yml without a Docker engine: what it says is checked against the files and options it speaks of.</summary>
public sealed partial class ComposeTests
{
    private static readonly string[] BackendKeys = ["ASPNETCORE_HTTP_PORTS", "Name", "Redis:Configuration", "Redis:KeyPrefix"];

    private static readonly ComposeFile Compose = Read();

    private static IEnumerable<(string Name, Service Service)> Gateways => ServicesOf("src/Gateway/Dockerfile");

    private static IEnumerable<(string Name, Service Service)> Backends => ServicesOf("src/SampleBackend/Dockerfile");

    [Fact]
    public void Two_gateways_stand_before_two_backends_and_Redis()
    {
        Assert.Equal(2, Gateways.Count());
        Assert.Equal(2, Backends.Count());
        Assert.Contains("redis", Compose.Services.Keys);
    }

    [Fact]
    public async Task A_gateway_accepts_all_it_is_given()
    {
        foreach (var (_, gateway) in Gateways)
        {
            var settings = gateway.Environment.Select(variable => $"--{Key(variable.Key)}={Substituted(variable.Value)}");
            await using var app = await Program.BuildAsync(["--config", DemoConfiguration(gateway), .. settings]);
            var candidate = app.Services.GetRequiredService<AcceptedConfiguration>().Candidate;

            var findings = await app.Services.GetRequiredService<CandidateValidator>().CheckAsync(candidate);

            Assert.Empty(findings.Errors);
            Assert.All(gateway.Environment.Keys, variable => Assert.True(IsKnown(app.Services, Key(variable)), variable));
            // An address that overrides none would be a destination of its own.
            Assert.All(findings.Proxy!.Clusters.SelectMany(cluster => cluster.Destinations!.Values), destination =>
                Assert.Contains(Backends, backend => $"http://{backend.Name}:8080" == destination.Address));
        }
    }

    [Fact]
    public void A_backend_knows_all_it_is_given()
    {
        var identity = SectionShape.Properties(typeof(global::SampleBackend.Identity.IdentityOptions)).Select(property => "Identity:" + property.Name);
        Assert.All(Backends, backend => Assert.All(backend.Service.Environment.Keys, variable =>
            Assert.Contains(Key(variable), BackendKeys.Concat(identity))));
        Assert.Equal(Backends.Count(), Backends.Select(backend => backend.Service.Environment["Name"]).Distinct().Count());
    }

    [Fact]
    public void Every_service_says_when_it_is_healthy_and_waits_for_what_it_needs()
    {
        Assert.All(Compose.Services.Values, service =>
        {
            Assert.NotEmpty(service.Healthcheck!.Test);
            Assert.All(service.DependsOn, needed =>
            {
                Assert.Contains(needed.Key, Compose.Services.Keys);
                Assert.Equal("service_healthy", needed.Value.Condition);
            });
        });
    }

    [Fact]
    public void Files_exist_and_ports_differ()
    {
        Assert.All(Gateways.Concat(Backends), built => Assert.True(File.Exists(Path.Combine(RepositoryRoot.Path, built.Service.Build!.Dockerfile))));
        var ports = Compose.Services.Values.SelectMany(service => service.Ports).Select(port => port.Split(':')[0]).ToList();
        Assert.Equal(ports.Count, ports.Distinct().Count());
        Assert.All(Compose.Services.Values.SelectMany(service => service.Volumes).Where(volume => !volume.StartsWith('.')),
            volume => Assert.Contains(volume.Split(':')[0], Compose.Volumes.Keys));
    }

    [Fact]
    public void Compose_waits_longer_for_a_gateway_than_its_drain_may_take()
    {
        var options = new HostingOptions();
        Assert.All(Gateways, gateway => Assert.True(
            int.Parse(gateway.Service.StopGracePeriod!.TrimEnd('s'), null) > options.DrainSeconds + options.ShutdownTimeoutSeconds));
    }

    private static IEnumerable<(string Name, Service Service)> ServicesOf(string dockerfile) =>
        Compose.Services.Where(service => service.Value.Build?.Dockerfile == dockerfile).Select(service => (service.Key, service.Value));

    private static string Key(string variable) => variable.Replace("__", ":", StringComparison.Ordinal);

    private static string Substituted(string value) => Variable().Replace(value, "0123456789abcdef");

    private static bool IsKnown(IServiceProvider services, string key) =>
        key is "Urls" || key.StartsWith("ReverseProxy:", StringComparison.Ordinal)
        || services.GetServices<ConfigurationSectionDescriptor>().Any(section => key.StartsWith(section.Path + ":", StringComparison.OrdinalIgnoreCase));

    private static string DemoConfiguration(Service gateway)
    {
        var mounted = gateway.Volumes.Select(volume => volume.Split(':')).Single(parts => gateway.Command.Contains(parts[1]));
        return Path.Combine(RepositoryRoot.Path, mounted[0]);
    }

    private static ComposeFile Read()
    {
        using var text = File.OpenText(Path.Combine(RepositoryRoot.Path, "docker-compose.yml"));
        var deserializer = new DeserializerBuilder()
            .WithNamingConvention(YamlDotNet.Serialization.NamingConventions.UnderscoredNamingConvention.Instance)
            .IgnoreUnmatchedProperties().Build();
        return deserializer.Deserialize<ComposeFile>(new MergingParser(new Parser(text)));
    }

    [GeneratedRegex(@"\$\{[^}]*\}")]
    private static partial Regex Variable();

    internal sealed class ComposeFile
    {
        public Dictionary<string, Service> Services { get; set; } = [];

        public Dictionary<string, object?> Volumes { get; set; } = [];
    }

    internal sealed class Service
    {
        public BuildSection? Build { get; set; }

        public List<string> Command { get; set; } = [];

        public Dictionary<string, string> Environment { get; set; } = [];

        public List<string> Ports { get; set; } = [];

        public List<string> Volumes { get; set; } = [];

        public Dictionary<string, Need> DependsOn { get; set; } = [];

        public HealthSection? Healthcheck { get; set; }

        public string? StopGracePeriod { get; set; }
    }

    internal sealed class BuildSection
    {
        public string Dockerfile { get; set; } = "";
    }

    internal sealed class Need
    {
        public string Condition { get; set; } = "";
    }

    internal sealed class HealthSection
    {
        public List<string> Test { get; set; } = [];
    }
}
