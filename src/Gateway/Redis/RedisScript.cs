using StackExchange.Redis;

namespace Gateway.Redis;

/// <summary>
/// A Lua script kept beside the feature that uses it. It runs atomically, takes time from Redis, and is sent by its
/// hash; the client library sends the text again when a restarted server does not know it.
/// </summary>
internal sealed class RedisScript
{
    private readonly string _text;

    private RedisScript(string text) => _text = text;

    /// <summary>Reads embedded files, such as <c>ChangeLog/append.lua</c>: several make one script, what they share first.</summary>
    public static RedisScript Load(params string[] paths) => new(string.Join('\n', paths.Select(Read)));

    public Task<RedisResult> EvaluateAsync(IDatabaseAsync database, RedisKey[] keys, RedisValue[] arguments) =>
        database.ScriptEvaluateAsync(_text, keys, arguments, CommandFlags.DemandMaster);

    private static string Read(string path)
    {
        using var stream = typeof(RedisScript).Assembly.GetManifestResourceStream(path)
            ?? throw new InvalidOperationException($"The script '{path}' is not part of the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
