using System.Collections.Concurrent;
using System.Xml;
using System.Xml.Linq;
using Gateway.ChangeLog;
using Gateway.Redis;
using Microsoft.AspNetCore.DataProtection.Repositories;
using StackExchange.Redis;

namespace Gateway.Sessions.Keys;

/// <summary>
/// Where DataProtection keeps its keys: this node's copy, which is read and written without waiting, and a hash in Redis,
/// which <see cref="SynchronizeAsync"/> joins with it. Keys are only ever added, so joining is all there is to it: also
/// after Redis was flushed, and for a node that began without Redis on a key of its own.
/// </summary>
internal sealed class KeyRepository(RedisConnection redis, RedisKeys keys, SharedChangeLog log, ILogger<KeyRepository> logger) : IXmlRepository
{
    /// <summary>The kind of change that tells nodes to read the keys anew.</summary>
    public const string ChangeKind = "keys";

    private static readonly RedisScript JoinScript = RedisScript.Load("Sessions/Keys/join.lua");
    private static readonly Selector Changed = Selector.Of(ChangeKind, "");

    private readonly ConcurrentDictionary<string, XElement> _elements = new(StringComparer.Ordinal);
    private volatile bool _isJoined;

    /// <summary>Whether this node's keys were joined with those in Redis once. Before, it cannot tell a forged cookie from one of a key it lacks.</summary>
    public bool IsJoined
    {
        get => _isJoined;
        set => _isJoined = value;
    }

    /// <summary>Raised when a key was made here: it is to be written soon.</summary>
    public event Action? Stored;

    public IReadOnlyCollection<XElement> GetAllElements() => [.. _elements.Values.Select(element => new XElement(element))];

    public void StoreElement(XElement element, string friendlyName)
    {
        _elements[friendlyName] = new XElement(element);
        Stored?.Invoke();
    }

    /// <summary>Adds to Redis what it lacks, and to this node what that lacks.</summary>
    /// <returns>How many keys are new to this node; null when Redis did not answer.</returns>
    public async ValueTask<int?> SynchronizeAsync(CancellationToken cancellationToken)
    {
        var arguments = _elements.SelectMany(element => new RedisValue[] { element.Key, element.Value.ToString(SaveOptions.DisableFormatting) }).ToArray();
        var reply = await redis.TryAsync(
            database => JoinScript.EvaluateAsync(database, [keys.DataProtectionKeys], arguments), cancellationToken);
        if (!reply.TryGet(out var result))
            return null;

        var written = (int)result[0];
        var learned = 0;
        for (var i = 1; i + 1 < result.Length; i += 2)
        {
            var name = (string)result[i]!;
            if (!_elements.ContainsKey(name) && TryParse(name, (string)result[i + 1]!) is { } element && _elements.TryAdd(name, element))
                learned++;
        }

        if (learned + written > 0)
            SessionsLog.KeysSynchronized(logger, learned, written);
        if (written > 0)
            await log.TryAppendAsync([Changed], cancellationToken);
        return learned;
    }

    private XElement? TryParse(string name, string xml)
    {
        try
        {
            var element = XElement.Parse(xml);
            // One key under two names would make the framework refuse them all.
            if (element.Name != "key" || name.Equals($"key-{(string?)element.Attribute("id")}", StringComparison.OrdinalIgnoreCase))
                return element;
        }
        catch (XmlException)
        {
            // Reported below.
        }

        SessionsLog.KeyUnreadable(logger, name);
        return null;
    }
}
