using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Gateway.Tokens.Introspection;

/// <summary>Asks a provider about a token (RFC 7662 §2.1): one attempt, with a deadline that includes waiting for a connection.</summary>
internal sealed class IntrospectionClient(TimeProvider time, TokensMetrics metrics, ILogger<IntrospectionClient> logger) : IDisposable
{
    private const int MaxAnswerBytes = 256 * 1024;

    // A flood of tokens that nobody issued must not become one of connections.
    private const int MaxConnections = 64;

    private static readonly TimeSpan Lately = TimeSpan.FromSeconds(1);

    // By scheme, when its provider failed last, if it has not answered since.
    private readonly ConcurrentDictionary<string, long> _failures = new(StringComparer.Ordinal);
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        // A redirect would send the token, and who asks about it, elsewhere.
        AllowAutoRedirect = false,
        UseCookies = false,
        MaxConnectionsPerServer = MaxConnections,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = MaxAnswerBytes,
    };

    /// <summary>Whether a scheme's provider failed a moment ago: who can do without it need not wait for it.</summary>
    public bool HasFailedLately(TokenScheme scheme) => _failures.TryGetValue(scheme.Name, out var failed) && time.GetElapsedTime(failed) < Lately;

    /// <summary>Asks. Whatever is no answer about the token says nothing about it.</summary>
    public async Task<Verification> AskAsync(TokenScheme scheme, string token)
    {
        try
        {
            using var deadline = new CancellationTokenSource(scheme.Options.Introspection.Timeout, time);
            using var request = RequestFor(scheme.Options.Introspection, token);
            using var response = await _http.SendAsync(request, deadline.Token);
            // RFC 7662 §2.3: an answer about a token is a 200, also about one that is not active.
            if (response.StatusCode != HttpStatusCode.OK)
                return Fail(scheme, $"it answered {(int)response.StatusCode}");
            // §2.2: it is application/json. What names no type may be taken for what it is (RFC 9110 §8.3).
            if (response.Content.Headers.TryGetValues("Content-Type", out _) && !IsJson(response.Content.Headers.ContentType))
                return Fail(scheme, "its answer is not application/json");
            var answer = IntrospectionAnswer.Read(await response.Content.ReadAsByteArrayAsync(deadline.Token), scheme.Options, time.GetUtcNow());
            if (answer.Content is null && answer.Refusal == TokenRefusal.None)
                return Fail(scheme, "its answer is no introspection response");
            _failures.TryRemove(scheme.Name, out _);
            metrics.Introspected(scheme.Name, succeeded: true);
            return answer;
        }
        catch (OperationCanceledException)
        {
            return Fail(scheme, $"no answer within {scheme.Options.Introspection.Timeout}");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return Fail(scheme, exception.GetBaseException().Message);
        }
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage RequestFor(IntrospectionOptions options, string token)
    {
        List<KeyValuePair<string, string>> form = [new("token", token)];
        if (options.TokenTypeHint.Length > 0)
            form.Add(new("token_type_hint", options.TokenTypeHint));
        // RFC 6749 §2.3.1: both are form-encoded first.
        var credentials = $"{WebUtility.UrlEncode(options.ClientId)}:{WebUtility.UrlEncode(options.ClientSecret)}";
        return new HttpRequestMessage(HttpMethod.Post, options.Endpoint)
        {
            Content = new FormUrlEncodedContent(form),
            Headers =
            {
                Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(credentials))),
                Accept = { new MediaTypeWithQualityHeaderValue("application/json") },
            },
        };
    }

    private static bool IsJson(MediaTypeHeaderValue? type) => string.Equals(type?.MediaType, "application/json", StringComparison.OrdinalIgnoreCase);

    private Verification Fail(TokenScheme scheme, string why)
    {
        metrics.Introspected(scheme.Name, succeeded: false);
        // Once per outage.
        if (!_failures.ContainsKey(scheme.Name))
            TokensLog.IntrospectionFailed(logger, scheme.Name, why);
        _failures[scheme.Name] = time.GetTimestamp();
        return Verification.Unavailable;
    }
}
