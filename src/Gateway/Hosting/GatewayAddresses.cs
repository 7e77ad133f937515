using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Hosting;

/// <summary>The addresses in use, such as <c>http://127.0.0.1:8080</c>: complete once the host has started, also for port 0.</summary>
internal sealed class GatewayAddresses
{
    private readonly List<ListenOptions> _public = [];
    private readonly List<ListenOptions> _admin = [];

    public IReadOnlyList<string> Public => [.. _public.Select(endpoint => endpoint.ToString()!)];

    public IReadOnlyList<string> Admin => [.. _admin.Select(endpoint => endpoint.ToString()!)];

    /// <summary>Whether the admin listener can be reached from this machine only.</summary>
    public bool AdminIsLocal { get; set; } = true;

    public void AddPublic(ListenOptions endpoint) => _public.Add(endpoint);

    public void AddAdmin(ListenOptions endpoint) => _admin.Add(endpoint);
}
