using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Gateway.Redis;

namespace Gateway.Caching.Fetch;

/// <summary>What every fetch uses.</summary>
internal sealed record FetchServices(
    ResponseStore Store,
    SharedChangeLog ChangeLog,
    RedisClock Clock,
    RecordingBudget Budget,
    HitForMiss HitForMiss,
    OriginTimes OriginTimes,
    TimeProvider Time);
