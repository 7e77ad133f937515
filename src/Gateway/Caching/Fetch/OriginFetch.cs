using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Gateway.Caching.Fetch;

/// <summary>
/// One GET forwarded to the origin for the cache, on the client's own context: (1) the request loses what concerns the
/// client alone and gets the stored validators, (2) the rest of the pipeline answers it through a recording stream,
/// (3) at the header section it is decided what becomes of the response, (4) a complete one is stored.
/// </summary>
internal sealed class OriginFetch(CacheExchange exchange, StoredResponse? stale, CacheReason reason, SharedFetch? shared, FetchServices services)
    : IDisposable
{
    private readonly HttpContext _context = exchange.Context;
    private readonly HashSet<string> _ownFields = new(exchange.Context.Response.Headers.Keys, StringComparer.OrdinalIgnoreCase);
    private ChangeStamp _stamp;
    private DateTimeOffset _requestTime;
    private DateTimeOffset _responseTime;
    private FetchLifetime? _lifetime;
    private ResponseFacts? _response;
    private BodyRecording? _recording;
    private StoredResponse? _pending;
    private bool _isNotModified;

    /// <summary>Forwards the request and answers the client, except where the origin said 304 to the cache.</summary>
    /// <returns>The stored response brought up to date by a 304, still to be served; null when the client has been answered.</returns>
    public async Task<StoredResponse?> RunAsync(RequestDelegate next)
    {
        _stamp = shared?.Stamp ?? services.ChangeLog.Stamp;
        _requestTime = services.Clock.Now;
        var started = services.Time.GetTimestamp();

        var clientBody = _context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var clientLifetime = _context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>();
        var recorder = new RecordingStream(clientBody.Stream, OnHeaders);
        var body = new StreamResponseBodyFeature(recorder, clientBody);
        _lifetime = new FetchLifetime(clientLifetime, outlivesClient: shared is not null, services.Time);
        using var conditions = UpstreamConditions.Apply(_context.Request.Headers, stale);
        _context.Features.Set<IHttpResponseBodyFeature>(body);
        _context.Features.Set<IHttpRequestLifetimeFeature>(_lifetime);
        try
        {
            await next(_context);
            recorder.BeginEnd();
            await body.CompleteAsync();
            recorder.Decide();
            services.OriginTimes.Add(exchange.RouteId, services.Time.GetElapsedTime(started));
            return _isNotModified ? await FreshenAsync(stale!) : await StoreAsync();
        }
        finally
        {
            _context.Features.Set(clientBody);
            _context.Features.Set(clientLifetime);
        }
    }

    public void Dispose()
    {
        _lifetime?.Dispose();
        _recording?.Dispose();
    }

    // Step 3. Called once, when status and fields stand and nothing has been sent.
    private BodyHandling OnHeaders()
    {
        _responseTime = services.Clock.Now;
        if (_context.Response.StatusCode == StatusCodes.Status304NotModified && stale is not null)
        {
            _isNotModified = true;
            return new BodyHandling(GoesToClient: false, Recording: null);
        }

        _response = ResponseReader.Read(_context, _ownFields, _responseTime);
        var refusal = ResponseReader.HasForwarderError(_context)
            ? CacheReason.Incomplete
            : StorageRules.Decide(exchange.Request, _response, exchange.Policy.Options.SetCookie);
        _recording = refusal == CacheReason.None ? BeginRecording(out refusal) : null;
        if (_recording is null)
            Refuse(refusal);
        else
            services.HitForMiss.Remove(exchange.PrimaryKey);

        var status = CacheStatus.Forwarded(reason, _context.Response.StatusCode, _recording is not null, shared?.HasFollowers ?? false, refusal);
        _context.Response.Headers.Append(CacheStatus.FieldName, status);
        return new BodyHandling(GoesToClient: !AnswerNotModified(), _recording);
    }

    private BodyRecording? BeginRecording(out CacheReason refusal)
    {
        var recording = new BodyRecording(services.Budget, exchange.Policy.Options.MaxBodySize, _context.Response.ContentLength);
        if (!recording.TryBegin())
        {
            refusal = CacheReason.BodyTooLarge;
            return null;
        }

        refusal = CacheReason.None;
        _pending = Describe();
        if (_pending.FreshnessLifetime <= _pending.InitialAge || _pending.CacheControl.NoCache)
            shared?.Complete(FetchOutcome.NotShareable);
        return recording;
    }

    // Nobody can use this response but its client: the others are told at once, and later ones do not wait for it.
    private void Refuse(CacheReason refusal)
    {
        if (IsForEveryone(refusal))
            services.HitForMiss.Add(exchange.PrimaryKey);
        shared?.Complete(FetchOutcome.NotShareable);
        _lifetime!.BindToClient();
    }

    // Only what the response itself says lasts: a request's own directives and a failing origin say nothing of the next answer.
    private bool IsForEveryone(CacheReason refusal) =>
        _response!.Status < 500 && refusal is not (CacheReason.RequestNoStore or CacheReason.Authorization or CacheReason.Incomplete);

    // The client's own condition was kept from the origin, so that the answer can be shared: RFC 9111 §4.3.2.
    private bool AnswerNotModified()
    {
        var response = _context.Response;
        if (response.StatusCode != StatusCodes.Status200OK || !exchange.Request.IsConditional
            || !Preconditions.IsNotModified(exchange.Request, _response!.ETag, _response.LastModified))
        {
            return false;
        }

        StoredResponseWriter.MakeNotModified(response);
        return true;
    }

    private StoredResponse Describe()
    {
        var policy = exchange.Policy.Options;
        return new StoredResponse
        {
            Status = _context.Response.StatusCode,
            Fields = ResponseReader.StoredFields(_context, _ownFields, policy.SetCookie, _response!.Date),
            Body = default,
            ResponseTime = _responseTime,
            InitialAge = Freshness.CorrectedInitialAge(_response, _requestTime, _responseTime),
            FreshnessLifetime = Freshness.Lifetime(_response) ?? 0,
            Stamp = _stamp,
            Selectors = [.. exchange.TargetSelectors, .. ResponseReader.Tags(_context.Response.Headers, policy)],
        };
    }

    // Step 4.
    private async Task<StoredResponse?> StoreAsync()
    {
        var isWhole = _recording is { IsComplete: true } && !_lifetime!.WasAborted && !ResponseReader.HasForwarderError(_context);
        if (isWhole)
            await StoreAsync(_pending! with { Body = _recording!.Body });
        else
            shared?.Complete(_recording is null or { IsAbandoned: true } ? FetchOutcome.NotShareable : FetchOutcome.Failed);
        return null;
    }

    // RFC 9111 §4.3.4: the origin confirmed the stored response; its fields are brought up to date.
    private async Task<StoredResponse> FreshenAsync(StoredResponse confirmed)
    {
        var fresh = ResponseReader.Freshen(_context, _ownFields, confirmed, _stamp, _requestTime, _responseTime);
        StoredResponseWriter.Reset(_context.Response, _ownFields);
        await StoreAsync(fresh);
        return fresh;
    }

    private async Task StoreAsync(StoredResponse response)
    {
        var fields = _context.Request.Headers;
        // A purge during the fetch concerns what it brought: RFC 9111 §4.4.
        if (services.ChangeLog.Check(response.Stamp, response.Selectors) == ChangeVerdict.Changed)
        {
            shared?.Complete(FetchOutcome.NotShareable);
            return;
        }

        services.Store.StoreInMemory(exchange.PrimaryKey, fields, response);
        shared?.Complete(FetchOutcome.Shareable, new SharedResponse(response, CacheKey.Variant(exchange.PrimaryKey, response.Vary, fields)));
        await services.Store.StoreInRedisAsync(exchange.PrimaryKey, fields, response, CancellationToken.None);
    }
}

/// <summary>Takes a client's conditions off a request and puts the stored validators on, until disposed.</summary>
internal sealed class UpstreamConditions : IDisposable
{
    private static readonly string[] Names = [HeaderNames.IfNoneMatch, HeaderNames.IfModifiedSince];

    private readonly IHeaderDictionary _fields;
    private readonly Microsoft.Extensions.Primitives.StringValues[] _originals;

    private UpstreamConditions(IHeaderDictionary fields)
    {
        _fields = fields;
        _originals = Array.ConvertAll(Names, name => fields[name]);
    }

    /// <param name="stale">The response to validate: RFC 9111 §4.3.1. Null asks for the whole.</param>
    public static UpstreamConditions Apply(IHeaderDictionary fields, StoredResponse? stale)
    {
        var conditions = new UpstreamConditions(fields);
        fields.IfNoneMatch = stale?.ETag;
        fields.IfModifiedSince = stale?.LastModified;
        return conditions;
    }

    public void Dispose()
    {
        for (var i = 0; i < Names.Length; i++)
            _fields[Names[i]] = _originals[i];
    }
}
