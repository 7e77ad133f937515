using System.Globalization;
using System.Text;

namespace Gateway.Benchmarks.Load;

/// <summary>What a body of the slow origin says.</summary>
/// <param name="Path">The path that was asked for.</param>
/// <param name="Identity">The request that the origin answered.</param>
/// <param name="Language">Its language.</param>
/// <param name="Times">How often the origin was asked for the path, this time included.</param>
/// <param name="SentAt">When it was sent, on the machine's monotonic clock, which all processes share.</param>
internal sealed record AnswerText(string Path, string Identity, string Language, int Times, long SentAt)
{
    public byte[] ToBytes() => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Path} {Identity} {Language} {Times} {SentAt}"));

    /// <exception cref="BenchException">It is something else.</exception>
    public static AnswerText Parse(string body) =>
        body.Split(' ') is [var path, var identity, var language, var times, var sentAt]
            ? new(path, identity, language, int.Parse(times, CultureInfo.InvariantCulture), long.Parse(sentAt, CultureInfo.InvariantCulture))
            : throw new BenchException($"The slow origin does not send '{body}'.");
}
