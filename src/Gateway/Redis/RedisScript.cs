using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Gateway.Redis;

/// <summary>
/// A Lua script kept beside the feature that uses it. It runs atomically, takes time from Redis, and is sent by its
/// hash; only a server that does not know it, such as a restarted one, is sent the text.
/// </summary>
internal sealed class RedisScript
{
    private readonly string _text;
    private readonly byte[] _hash;

    private RedisScript(string text)
    {
        _text = text;
#pragma warning disable CA5350 // SHA-1 is what Redis calls scripts by; nothing is protected by it.
        _hash = SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
    }

    /// <summary>Reads embedded files, such as <c>ChangeLog/append.lua</c>: several make one script, what they share first.</summary>
    public static RedisScript Load(params string[] paths) => new(string.Join('\n', paths.Select(Read)));

    /// <summary>Runs the script once.</summary>
    public async Task<RedisResult> EvaluateAsync(IDatabaseAsync database, RedisKey[] keys, RedisValue[] arguments)
    {
        try
        {
            // Given the text, the library would look it up by its content on each call, which costs more than the call.
            return await database.ScriptEvaluateAsync(_hash, keys, arguments, CommandFlags.DemandMaster);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            // It was not run: running it now is no second time.
            return await database.ScriptEvaluateAsync(_text, keys, arguments, CommandFlags.DemandMaster);
        }
    }

    private static string Read(string path)
    {
        using var stream = typeof(RedisScript).Assembly.GetManifestResourceStream(path)
            ?? throw new InvalidOperationException($"The script '{path}' is not part of the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
