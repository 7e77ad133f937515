using Yarp.ReverseProxy.Configuration;

namespace Gateway.Hosting.Configuration;

/// <summary>
/// Accepts the configuration at start, then follows the files: a change is read into a candidate of its own, checked
/// whole, and either put in force everywhere or refused with all its errors while the running one stays.
/// </summary>
/// <remarks>
/// Files are compared by content twice a second rather than watched: that also sees changes on network and container
/// mounts and behind symbolic links, needs no kernel watches, and waits until a half-written file has come to rest.
/// </remarks>
internal sealed class ConfigurationReloader(
    ConfigurationSources sources,
    AcceptedConfiguration accepted,
    CandidateValidator validator,
    InMemoryConfigProvider proxyConfig,
    ProxyConfigApplied proxyConfigApplied,
    HostingMetrics metrics,
    TimeProvider time,
    ILogger<ConfigurationReloader> logger) : BackgroundService, IHostedLifecycleService
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private IReadOnlyList<byte[]?> _lastTried = accepted.Candidate.Contents;
    private volatile ConfigurationStatus _status = new(0, null, [.. sources.Files.Select(file => file.Path)], null, []);

    public ConfigurationStatus Status => _status;

    /// <summary>Checks the configuration the process was started with and puts it in force. Does nothing after the first time.</summary>
    /// <exception cref="InvalidConfigurationException">It has errors.</exception>
    public async Task AcceptInitialAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            if (_status.Version > 0)
                return;
            var findings = await validator.CheckAsync(accepted.Candidate);
            if (findings.Errors.Count > 0)
                throw new InvalidConfigurationException(findings.Errors);
            await PutInForceAsync(accepted.Candidate, findings.Proxy!, cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Before any other service starts: a configuration with errors must not open a listener.</summary>
    public Task StartingAsync(CancellationToken cancellationToken) => AcceptInitialAsync(cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(PollInterval, time);
        var previous = _lastTried;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var contents = sources.ReadFiles();
            var atRest = Same(contents, previous);
            previous = contents;
            if (atRest && !Same(contents, _lastTried))
                await ReloadAsync(contents, stoppingToken);
        }
    }

    private async Task ReloadAsync(IReadOnlyList<byte[]?> contents, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            _lastTried = contents;
            var candidate = sources.Load(contents);
            var findings = await validator.CheckAsync(candidate);
            if (findings.Errors.Count > 0)
                Refuse(findings.Errors);
            else
                await ReplaceAsync(candidate, findings.Proxy!, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever a validator of a feature throws: the gateway goes on with what it has, and says so.
            Refuse([$"the candidate could not be checked: {e.Message}"]);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    // What listens to changes may throw, after others have taken them. Half a change is in nobody's file.
    private async Task ReplaceAsync(ConfigurationCandidate candidate, IProxyConfig proxy, CancellationToken cancellationToken)
    {
        var (previous, previousProxy) = (accepted.Candidate, proxyConfig.GetConfig());
        try
        {
            await PutInForceAsync(candidate, proxy, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var errors = new List<string> { $"the change could not be put in force, and was taken back: {Reason(e)}" };
            try
            {
                if (!ReferenceEquals(proxyConfig.GetConfig(), previousProxy))
                    await ApplyAsync(previousProxy, _status.Version, cancellationToken);
                accepted.Accept(previous);
            }
            catch (Exception again) when (again is not OperationCanceledException)
            {
                errors.Add($"not everything could be taken back: {Reason(again)} Restart the gateway.");
            }

            Refuse(errors);
        }
    }

    private static string Reason(Exception exception) => exception is AggregateException all
        ? string.Join(' ', all.Flatten().InnerExceptions.Select(inner => inner.Message))
        : exception.Message;

    private async Task PutInForceAsync(ConfigurationCandidate candidate, IProxyConfig proxy, CancellationToken cancellationToken)
    {
        accepted.Accept(candidate);
        var version = _status.Version + 1;
        await ApplyAsync(proxy, version, cancellationToken);
        _status = _status with { Version = version, LoadedAt = time.GetUtcNow(), LastRejectedAt = null, LastErrors = [] };
        metrics.ConfigurationAccepted();
        HostingLog.ConfigurationAccepted(logger, version, proxy.Routes.Count, proxy.Clusters.Count);
    }

    private Task ApplyAsync(IProxyConfig proxy, int version, CancellationToken cancellationToken)
    {
        var applied = proxyConfigApplied.WaitFor(proxy.Routes);
        proxyConfig.Update(proxy.Routes, proxy.Clusters, version.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return applied.WaitAsync(cancellationToken);
    }

    private void Refuse(IReadOnlyList<string> errors)
    {
        _status = _status with { LastRejectedAt = time.GetUtcNow(), LastErrors = errors };
        metrics.ConfigurationRejected();
        HostingLog.ConfigurationRejected(logger, errors.Count, string.Join(Environment.NewLine + "  ", errors));
    }

    private static bool Same(IReadOnlyList<byte[]?> left, IReadOnlyList<byte[]?> right)
    {
        for (var i = 0; i < left.Count; i++)
        {
            if (left[i] is null != right[i] is null || !left[i].AsSpan().SequenceEqual(right[i]))
                return false;
        }

        return true;
    }

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Dispose()
    {
        _oneAtATime.Dispose();
        base.Dispose();
    }
}
