using Gateway.Caching.Invalidation;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Forwards a POST. It invalidates what is stored, like every unsafe method; but a response that says of itself that it
/// is the target's new representation, and for how long, is stored for later GETs. RFC 9110 §9.3.3.
/// </summary>
internal sealed class PostForward(RequestDelegate next, FetchServices services, UnsafeMethodInvalidation invalidation)
{
    public async Task AnswerAsync(CacheExchange exchange)
    {
        var context = exchange.Context;
        var recording = new PostRecording(exchange, services);
        invalidation.Register(exchange, recording.OnInvalidated);
        var clientBody = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var recorder = new RecordingStream(clientBody.Stream, recording);
        var body = new StreamResponseBodyFeature(recorder, clientBody);
        context.Features.Set<IHttpResponseBodyFeature>(body);
        try
        {
            await next(context);
            recorder.BeginEnd();
            await body.CompleteAsync();
            recorder.Decide();
            // The invalidation is written when the client's response begins: what is stored is newer than that.
            recording.End(isUnbroken: !ResponseReader.HasForwarderError(context));
            await recorder.FinishAsync();
            await recording.StoreAsync();
        }
        finally
        {
            recording.End(isUnbroken: false);
            await recorder.FinishAsync();
            context.Features.Set(clientBody);
            recording.Dispose();
        }
    }

    private sealed class PostRecording(CacheExchange exchange, FetchServices services) : IRecordedFetch, IDisposable
    {
        private readonly HttpContext _context = exchange.Context;
        private readonly HashSet<string> _ownFields = ResponseReader.OwnFields(exchange.Context.Response);
        private readonly DateTimeOffset _requestTime = services.Clock.Now;
        private readonly ChangeStamp _stamp = services.ChangeLog.Stamp;
        // They may be the point of a POST, so that the origin gets them; but then its answer is about another request than the key says.
        private readonly bool _isOverridden = OverridingFields.Any(exchange.Context.Request, exchange.Policy.Options.VaryByHeader);
        private ChangeStamp _checked;
        private ChangeReceipt? _invalidation;
        private BodyRecording? _recording;
        private StoredResponse? _pending;

        public BodyHandling OnHeaders()
        {
            var now = services.Clock.Now;
            var facts = ResponseReader.Read(_context, _ownFields, now);
            var isOfTarget = UnsafeMethodInvalidation.IsTarget(_context.Request, _context.Response.Headers.ContentLocation);
            if (StorageRules.IsReusableForGet(facts, isOfTarget) && !_isOverridden && !ResponseReader.HasForwarderError(_context)
                && StorageRules.Decide(exchange.RequestBehind(facts.Status), facts, exchange.Policy.Storage) == CacheReason.None)
                Begin(facts, new FetchTimes(_requestTime, now, _stamp));
            var status = CacheStatus.Forwarded(CacheReason.Method, _context.Response.StatusCode, _recording is not null, false, CacheReason.None);
            _context.Response.Headers.Append(CacheStatus.FieldName, status);
            return new BodyHandling(GoesToClient: true, _recording);
        }

        // Nobody else waits for it.
        public void OnBegun()
        {
        }

        public void OnOutgrown()
        {
        }

        public void CutClient() => _context.Abort();

        // Its number becomes the response's own, so it must not cover up a change by another that came between the check and it.
        public void OnInvalidated(ChangeReceipt receipt)
        {
            if (receipt.Epoch == _checked.Epoch && receipt.FirstNumber == _checked.Number + 1)
                _invalidation = receipt;
        }

        public Task StoreAsync()
        {
            if (_pending is not { } pending || _invalidation is not { } receipt || _recording is not { IsComplete: true }
                || ResponseReader.HasForwarderError(_context))
                return Task.CompletedTask;
            // Newer than the invalidation that came with it.
            var response = pending with { Body = _recording.Join(), Stamp = _stamp with { Number = receipt.Number } };
            return services.TryStoreInMemory(exchange, response) ? services.StoreInRedisAsync(exchange, response, isAwaited: false) : Task.CompletedTask;
        }

        public void End(bool isUnbroken) => _recording?.End(isUnbroken && (_recording.IsComplete || _recording.IsOutgrown));

        public void Dispose() => _recording?.Dispose();

        private void Begin(ResponseFacts facts, in FetchTimes times)
        {
            var response = ResponseReader.Describe(exchange, _ownFields, facts, times);
            // What is applied by now is noted first: changes that come during the check are not taken for checked.
            _checked = services.ChangeLog.Stamp;
            if (services.ChangeLog.Check(_stamp, response.Selectors) != ChangeVerdict.Current)
                return;
            var recording = new BodyRecording(services.Budget, exchange.Policy.Options.MaxBodySize, _context.Response.ContentLength, services.Time);
            if (!recording.TryBegin())
                return;
            (_recording, _pending) = (recording, response);
        }
    }
}
