namespace Gateway.Benchmarks.Load;

/// <summary>What the load generator saw.</summary>
/// <param name="Requests">Answers that came in whole.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Bytes">What was received, fields included.</param>
/// <param name="Errors">Connections that failed, timeouts, and answers with a status of 400 and above.</param>
internal sealed record LoadResult(long Requests, TimeSpan Elapsed, long Bytes, long Errors);
