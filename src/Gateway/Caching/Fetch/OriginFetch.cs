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
    : IRecordedFetch, IDisposable
{
    private readonly HttpContext _context = exchange.Context;
    private readonly HashSet<string> _ownFields = ResponseReader.OwnFields(exchange.Context.Response);
    private FetchTimes _times;
    private FetchLifetime? _lifetime;
    private ResponseFacts? _response;
    private BodyRecording? _recording;
    private StoredResponse? _pending;
    private CacheReason _storedAnswer;
    private bool _isRepeatable = true;
    private bool _isSuperseding;
    private long _started;

    /// <summary>Forwards the request and answers the client, except where a stored response is the answer.</summary>
    /// <returns>The stored response to serve; its reason is <see cref="CacheReason.None"/> when the client has been answered.</returns>
    public async Task<StoredAnswer> RunAsync(RequestDelegate next)
    {
        var stamp = services.ChangeLog.Stamp;
        _times = new FetchTimes(services.Clock.Now, default, stamp);
        _started = services.Time.GetTimestamp();
        shared?.Ask(stamp);

        var clientBody = _context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var clientLifetime = _context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>();
        _lifetime = new FetchLifetime(clientLifetime, shared, services.Time);
        var recorder = new RecordingStream(clientBody.Stream, this);
        var body = new StreamResponseBodyFeature(recorder, clientBody);
        OverridingFields.Remove(_context.Request, exchange.Policy.Options.VaryByHeader);
        using var conditions = UpstreamConditions.Apply(_context.Request.Headers, candidate.Validatable);
        _context.Features.Set<IHttpResponseBodyFeature>(body);
        _context.Features.Set<IHttpRequestLifetimeFeature>(_lifetime);
        try
        {
            await next(_context);
            recorder.BeginEnd();
            await body.CompleteAsync();
            recorder.Decide();
            var answer = await EndAsync();
            shared?.Close();
            return answer;
        }
        finally
        {
            // A client that is slower than the origin gets the rest now.
            _recording?.End(isWhole: false);
            await recorder.FinishAsync();
            _context.Features.Set(clientBody);
            _context.Features.Set(clientLifetime);
        }
    }

    void IRecordedFetch.CutClient() => _lifetime!.AbortClient();

    public void Dispose()
    {
        _lifetime?.Dispose();
        _recording?.Dispose();
    }

    // Step 3.
    BodyHandling IRecordedFetch.OnHeaders()
    {
        _times = _times with { Response = services.Clock.Now };
        services.OriginTimes.Add(exchange.RouteId, services.Time.GetElapsedTime(_started));
        _storedAnswer = DecideStoredAnswer();
        if (_storedAnswer != CacheReason.None)
            return new BodyHandling(GoesToClient: false, Recording: null);

        _response = ResponseReader.Read(_context, _ownFields, _times.Response);
        var refusal = ResponseReader.HasForwarderError(_context)
            ? CacheReason.Incomplete
            : StorageRules.Decide(exchange.RequestBehind(_response.Status), _response, exchange.Policy.Storage);
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
    private CacheReason DecideStoredAnswer() =>
        _context.Response.StatusCode == StatusCodes.Status304NotModified && candidate.Validatable is not null
            ? CacheReason.Validated
            : candidate.ReplacedFailure(exchange, _times.Response);

    private BodyRecording? BeginRecording(out CacheReason refusal)
    {
        var recording = new BodyRecording(services.Budget, exchange.Policy.Options.MaxBodySize, _context.Response.ContentLength, services.Time);
        if (!recording.TryBegin())
        {
            refusal = CacheReason.BodyTooLarge;
            _isRepeatable = recording.IsTooLarge;
            return null;
        }

        refusal = CacheReason.None;
        _pending = ResponseReader.Describe(exchange, _ownFields, _response!, _times);
        if (_pending.FreshnessLifetime <= _pending.InitialAge || _pending.CacheControl.NoCache)
            shared?.Complete(FetchOutcome.NotShareable);
        return recording;
    }

    // With the first bytes, so that a small body reaches the others together with its fields.
    void IRecordedFetch.OnBegun()
    {
        if (_recording is { } recording && _pending is { } pending)
            shared?.Open(Share(pending, recording));
    }

    // Those who read along go on; later ones do not wait for what will not be stored.
    void IRecordedFetch.OnOutgrown()
    {
        if (_recording!.IsTooLarge)
            services.HitForMiss.Add(exchange.PrimaryKey);
        shared?.Complete(FetchOutcome.NotShareable);
        _lifetime!.BindToClients();
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
        _lifetime!.BindToClients();
    }

    // Only what the response itself says lasts: a request's own directives and faults, a failing origin and memory that is
    // used up say nothing of the next answer.
    private bool IsForEveryone(CacheReason refusal) =>
        _response!.Status is < 500 and not StatusCodes.Status400BadRequest && _isRepeatable && !StorageRules.IsOfRequest(refusal);

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
    private async ValueTask<StoredAnswer> EndAsync()
    {
        switch (_storedAnswer)
        {
            case CacheReason.None:
                await StoreIfWholeAsync();
                return default;
            case CacheReason.Validated:
                return await FreshenAsync(candidate.Validatable!);
            default:
                shared?.Fail(_storedAnswer);
                int? status = _storedAnswer == CacheReason.Disconnected ? null : _context.Response.StatusCode;
                StoredResponseWriter.Reset(_context, _ownFields, exchange.Policy.Options.SetCookie);
                return new StoredAnswer(candidate.Replacement!, status, _storedAnswer);
        }
    }

    private Task StoreIfWholeAsync()
    {
        var isUnbroken = !_lifetime!.WasAborted && !ResponseReader.HasForwarderError(_context);
        var isWhole = isUnbroken && _recording is { IsComplete: true };
        _recording?.End(isUnbroken && (isWhole || _recording.IsOutgrown));
        if (isWhole)
            return StoreAsync(_pending! with { Body = _recording!.Join() });

        if (_recording is null or { IsOutgrown: true })
            shared?.Complete(FetchOutcome.NotShareable);
        else
            shared?.Fail(CacheReason.Disconnected);
        return _isSuperseding ? StoreAsync(candidate.Stored!.Superseded()) : Task.CompletedTask;
    }

    // RFC 9111 §4.3.4: the origin confirmed the stored response; its fields are brought up to date. For this client alone
    // where the 304 must not be stored: what it says is then in force for nobody else, but where the response itself
    // forbids it, as now private, what is stored is used no more without asking.
    private async Task<StoredAnswer> FreshenAsync(StoredResponse confirmed)
    {
        var fresh = ResponseReader.Freshen(exchange, _ownFields, confirmed, _times, out var refusal);
        StoredResponseWriter.Reset(_context, _ownFields, exchange.Policy.Options.SetCookie);
        if (refusal == CacheReason.None)
        {
            await StoreAsync(fresh);
        }
        else
        {
            shared?.Complete(FetchOutcome.NotShareable);
            if (!StorageRules.IsOfRequest(refusal))
                await SupersedeAsync(confirmed);
        }

        return new StoredAnswer(fresh, StatusCodes.Status304NotModified, _storedAnswer, refusal);
    }

    private Task SupersedeAsync(StoredResponse confirmed)
    {
        services.HitForMiss.Add(exchange.PrimaryKey);
        return confirmed.IsSuperseded ? Task.CompletedTask : StoreAsync(confirmed.Superseded());
    }

    private async Task StoreAsync(StoredResponse response)
    {
        if (!services.TryStoreInMemory(exchange, response))
        {
            // Purged meanwhile: those who waited fetch anew, together.
            shared?.Complete(FetchOutcome.Failed);
            return;
        }

        shared?.Complete(FetchOutcome.Shareable, Share(response, null));
        _recording?.HandOver();
        await services.StoreInRedisAsync(exchange, response, isAwaited: shared is { IsAmongNodes: true });
    }

    private SharedResponse Share(StoredResponse response, BodyRecording? body) =>
        new(response, exchange.PrimaryKey, exchange.VariantSuffix(response.Vary), body, shared);
}

/// <summary>A stored response that turned out to be the answer to a forwarded request.</summary>
/// <param name="Response">The response.</param>
/// <param name="Status">What the origin answered, if it did.</param>
/// <param name="Reason">Why; <see cref="CacheReason.None"/>: there is none.</param>
/// <param name="Refusal">Why what the origin said of it is not stored, if it must not be.</param>
internal readonly record struct StoredAnswer(StoredResponse Response, int? Status, CacheReason Reason, CacheReason Refusal = CacheReason.None)
{
    /// <summary>Whether the store holds what the origin said.</summary>
    public bool IsStored => Reason == CacheReason.Validated && Refusal == CacheReason.None;
}

/// <summary>Takes a client's conditions and ranges off a request and puts the stored validators on, until disposed.</summary>
internal readonly struct UpstreamConditions : IDisposable
{
    private static readonly string[] Names = [HeaderNames.IfNoneMatch, HeaderNames.IfModifiedSince, HeaderNames.Range, HeaderNames.IfRange];

    // Null where there is nothing to take off or put on, as for most requests.
    private readonly IHeaderDictionary? _fields;
    private readonly Microsoft.Extensions.Primitives.StringValues[]? _originals;

    private UpstreamConditions(IHeaderDictionary fields)
    {
        _fields = fields;
        _originals = Array.ConvertAll(Names, name => fields[name]);
    }

    /// <param name="stale">The response to validate: RFC 9111 §4.3.1. Null asks for the whole.</param>
    public static UpstreamConditions Apply(IHeaderDictionary fields, StoredResponse? stale)
    {
        if (stale is null && fields.IfNoneMatch.Count + fields.IfModifiedSince.Count + fields.Range.Count + fields.IfRange.Count == 0)
            return default;
        var conditions = new UpstreamConditions(fields);
        fields.IfNoneMatch = stale?.ETag;
        fields.IfModifiedSince = stale?.LastModified;
        fields.Range = fields.IfRange = default;
        return conditions;
    }

    public void Dispose()
    {
        for (var i = 0; i < Names.Length && _fields is not null; i++)
            _fields[Names[i]] = _originals![i];
    }
}
