using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Gateway.ShortLinks;

/// <summary>The public endpoint of short links. It follows the running configuration: prefix and hosts can change at any time.</summary>
internal sealed class ShortLinkEndpoints : EndpointDataSource, IDisposable
{
    // Before the routes of YARP, whose default is 0: an equal path would otherwise be ambiguous, which is an error per request.
    private const int BeforeRoutes = -1;

    private readonly ShortLinkHandler _handler;
    private readonly IDisposable? _subscription;
    private readonly Lock _gate = new();
    private CancellationTokenSource _changing = new();
    private IReadOnlyList<Endpoint> _endpoints;

    public ShortLinkEndpoints(IOptionsMonitor<ShortLinksOptions> options, ShortLinkHandler handler)
    {
        _handler = handler;
        _endpoints = Build(options.CurrentValue);
        _subscription = options.OnChange(Change);
    }

    public override IReadOnlyList<Endpoint> Endpoints => Volatile.Read(ref _endpoints);

    public override IChangeToken GetChangeToken()
    {
        lock (_gate)
            return new CancellationChangeToken(_changing.Token);
    }

    public void Dispose()
    {
        _subscription?.Dispose();
        _changing.Dispose();
    }

    private void Change(ShortLinksOptions options)
    {
        CancellationTokenSource changed;
        lock (_gate)
        {
            Volatile.Write(ref _endpoints, Build(options));
            changed = _changing;
            _changing = new CancellationTokenSource();
        }

        // Routing reads the endpoints again while this runs.
        changed.Cancel();
        changed.Dispose();
    }

    private List<Endpoint> Build(ShortLinksOptions options)
    {
        if (!options.Enabled)
            return [];
        List<Endpoint> endpoints = [Build(options, $"{options.Prefix}/{{{ShortLinkHandler.SlugParameter}}}")];
        if (options.ForwardPaths)
            endpoints.Add(Build(options, $"{options.Prefix}/{{{ShortLinkHandler.SlugParameter}}}/{{**{ShortLinkHandler.SuffixParameter}}}"));
        return endpoints;
    }

    private Endpoint Build(ShortLinksOptions options, string pattern)
    {
        var endpoint = new RouteEndpointBuilder(_handler.InvokeAsync, RoutePatternFactory.Parse(pattern), BeforeRoutes) { DisplayName = "short link" };
        // POST: passwords.
        endpoint.Metadata.Add(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head, HttpMethods.Post]));
        if (options.Hosts.Count > 0)
            endpoint.Metadata.Add(new HostAttribute([.. options.Hosts]));
        return endpoint.Build();
    }
}
