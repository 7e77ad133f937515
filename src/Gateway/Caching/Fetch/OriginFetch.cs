using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Gateway.Caching.Fetch;

/// <summary>
/// One GET forwarded to the origin for the cache, on the client's own context: (1) the request loses what concerns the
/// client alone and gets the stored validators, (2) the rest of the pipeline answers it through a recording stream,
/// (3) at the header section it is decided what becomes of the response, (4) a complete one is stored.
/// </summary>
internal sealed class OriginFetch(CacheExchange exchange, FetchCandidate candidate, SharedFetch? shared, FetchServices services)
    : IDisposable
{
    private readonly HttpContext _context = exchange.Context;
    private readonly HashSet<string> _ownFields = new(exchange.Context.Response.Headers.Keys, StringComparer.OrdinalIgnoreCase);
    private FetchTimes _times;
    private FetchLifetime? _lifetime;
    private ResponseFacts? _response;
    private BodyRecording? _recording;
    private StoredResponse? _pending;
    private CacheReason _storedAnswer;
    private bool _isSuperseding;

    /// <summary>Forwards the request and answers the client, except where a stored response is the answer.</summary>
    /// <returns>The stored response to serve; its reason is <see cref="CacheReason.None"/> when the client has been answered.</returns>
    public async Task<StoredAnswer> RunAsync(RequestDelegate next)
    {
        _times = new FetchTimes(services.Clock.Now, default, shared?.Stamp ?? services.ChangeLog.Stamp);
        var started = services.Time.GetTimestamp();

        var clientBody = _context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var clientLifetime = _context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>();
        var recorder = new RecordingStream(clientBody.Stream, OnHeaders);
        var body = new StreamResponseBodyFeature(recorder, clientBody);
        _lifetime = new FetchLifetime(clientLifetime, outlivesClient: shared is not null, services.Time);
        using var conditions = UpstreamConditions.Apply(_context.Request.Headers, candidate.Validatable);
        _context.Features.Set<IHttpResponseBodyFeature>(body);
        _context.Features.Set<IHttpRequestLifetimeFeature>(_lifetime);
        try
        {
            await next(_context);
            recorder.BeginEnd();
            await body.CompleteAsync();
            recorder.Decide();
            services.OriginTimes.Add(exchange.RouteId, services.Time.GetElapsedTime(started));
            return await EndAsync();
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
        _times = _times with { Response = services.Clock.Now };
        _storedAnswer = StoredAnswerTo(_context.Response.StatusCode, ResponseReader.HasForwarderError(_context));
        if (_storedAnswer != CacheReason.None)
            return new BodyHandling(GoesToClient: false, Recording: null);

        _response = ResponseReader.Read(_context, _ownFields, _times.Response);
        var refusal = ResponseReader.HasForwarderError(_context)
            ? CacheReason.Incomplete
            : StorageRules.Decide(exchange.Request, _response, exchange.Policy.Storage);
        _recording = refusal == CacheReason.None ? BeginRecording(out refusal) : null;
        if (_recording is null)
            Refuse(refusal);
        else
            services.HitForMiss.Remove(exchange.PrimaryKey);

        var status = CacheStatus.Forwarded(
            candidate.Reason, _context.Response.StatusCode, _recording is not null, shared?.HasFollowers ?? false, refusal);
        _context.Response.Headers.Append(CacheStatus.FieldName, status);
        return new BodyHandling(GoesToClient: !AnswerNotModified(), _recording);
    }

    // Whether the stored response is the answer after all: the origin confirmed it, or failed where it may stand in.
    private CacheReason StoredAnswerTo(int status, bool isUnreachable)
    {
        if (status == StatusCodes.Status304NotModified && candidate.Validatable is not null)
            return CacheReason.Validated;
        var failure = isUnreachable ? CacheReason.Disconnected : ReuseRules.IsFailure(status) ? CacheReason.StaleIfError : CacheReason.None;
        if (failure == CacheReason.None || candidate.Replacement is not { } stale)
            return CacheReason.None;
        if (ReuseRules.MayReplaceFailure(exchange.Request, stale, failure, exchange.Policy.Stale, _times.Response))
            return failure;
        // Disconnected, and not allowed to use what is stored: RFC 9111 §5.2.2.2.
        if (isUnreachable)
            _context.Response.StatusCode = StatusCodes.Status504GatewayTimeout;
        return CacheReason.None;
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
        _pending = ResponseReader.Describe(exchange, _ownFields, _response!, _times);
        if (_pending.FreshnessLifetime <= _pending.InitialAge || _pending.CacheControl.NoCache)
            shared?.Complete(FetchOutcome.NotShareable);
        return recording;
    }

    // Nobody can use this response but its client: the others are told at once, and later ones do not wait for it.
    private void Refuse(CacheReason refusal)
    {
        if (refusal == CacheReason.Incomplete)
        {
            shared?.Fail(CacheReason.Disconnected);
            return;
        }

        if (IsForEveryone(refusal))
        {
            services.HitForMiss.Add(exchange.PrimaryKey);
            _isSuperseding = candidate.Stored is { IsSuperseded: false };
        }

        shared?.Complete(FetchOutcome.NotShareable);
        _lifetime!.BindToClient();
    }

    // Only what the response itself says lasts: a request's own directives and a failing origin say nothing of the next answer.
    private bool IsForEveryone(CacheReason refusal) =>
        _response!.Status < 500 && refusal is not (CacheReason.RequestNoStore or CacheReason.Authorization);

    // The client's own condition was kept from the origin, so that the answer can be shared: RFC 9111 §4.3.2.
    private bool AnswerNotModified()
    {
        var response = _context.Response;
        if (response.StatusCode != StatusCodes.Status200OK || !exchange.Request.IsConditional || _response is not { } facts
            || !Preconditions.IsNotModified(exchange.Request, facts.ETag, facts.LastModified ?? facts.Date, _times.Response))
        {
            return false;
        }

        StoredResponseWriter.MakeNotModified(response);
        return true;
    }

    // Step 4.
    private async Task<StoredAnswer> EndAsync()
    {
        switch (_storedAnswer)
        {
            case CacheReason.None:
                await StoreIfWholeAsync();
                return default;
            case CacheReason.Validated:
                return new StoredAnswer(await FreshenAsync(candidate.Validatable!), StatusCodes.Status304NotModified, _storedAnswer);
            default:
                shared?.Fail(_storedAnswer);
                int? status = _storedAnswer == CacheReason.Disconnected ? null : _context.Response.StatusCode;
                StoredResponseWriter.Reset(_context, _ownFields, exchange.Policy.Options.SetCookie);
                return new StoredAnswer(candidate.Replacement!, status, _storedAnswer);
        }
    }

    private async Task StoreIfWholeAsync()
    {
        var isWhole = _recording is { IsComplete: true } && !_lifetime!.WasAborted && !ResponseReader.HasForwarderError(_context);
        if (isWhole)
        {
            await StoreAsync(_pending! with { Body = _recording!.Body });
            return;
        }

        if (_recording is null or { IsAbandoned: true })
            shared?.Complete(FetchOutcome.NotShareable);
        else
            shared?.Fail(CacheReason.Disconnected);
        if (_isSuperseding)
            await StoreAsync(candidate.Stored!.Superseded());
    }

    // RFC 9111 §4.3.4: the origin confirmed the stored response; its fields are brought up to date.
    private async Task<StoredResponse> FreshenAsync(StoredResponse confirmed)
    {
        var fresh = ResponseReader.Freshen(_context, _ownFields, confirmed, exchange.Policy, _times);
        StoredResponseWriter.Reset(_context, _ownFields, exchange.Policy.Options.SetCookie);
        await StoreAsync(fresh);
        return fresh;
    }

    private async Task StoreAsync(StoredResponse response)
    {
        if (!services.TryStoreInMemory(exchange, response))
        {
            shared?.Complete(FetchOutcome.NotShareable);
            return;
        }

        var variant = CacheKey.Variant(exchange.PrimaryKey, response.Vary, exchange.SelectingFields);
        shared?.Complete(FetchOutcome.Shareable, new SharedResponse(response, variant));
        await services.StoreInRedisAsync(exchange, response);
    }
}

/// <summary>A stored response that turned out to be the answer to a forwarded request.</summary>
/// <param name="Response">The response.</param>
/// <param name="Status">What the origin answered, if it did.</param>
/// <param name="Reason">Why; <see cref="CacheReason.None"/>: there is none.</param>
internal readonly record struct StoredAnswer(StoredResponse Response, int? Status, CacheReason Reason);

/// <summary>Takes a client's conditions and ranges off a request and puts the stored validators on, until disposed.</summary>
internal sealed class UpstreamConditions : IDisposable
{
    private static readonly string[] Names = [HeaderNames.IfNoneMatch, HeaderNames.IfModifiedSince, HeaderNames.Range, HeaderNames.IfRange];

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
        fields.Range = fields.IfRange = default;
        return conditions;
    }

    public void Dispose()
    {
        for (var i = 0; i < Names.Length; i++)
            _fields[Names[i]] = _originals[i];
    }
}
