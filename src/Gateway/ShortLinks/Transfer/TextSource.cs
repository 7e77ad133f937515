namespace Gateway.ShortLinks.Transfer;

/// <summary>Characters of a text that is still coming in, one at a time and without an allocation for each.</summary>
internal sealed class TextSource(TextReader reader)
{
    private readonly char[] _buffer = new char[8 << 10];
    private int _at;
    private int _end;

    /// <summary>Whether there is another character; waits for it.</summary>
    public ValueTask<bool> HasMoreAsync(CancellationToken cancellationToken) => _at < _end ? new(true) : FillAsync(cancellationToken);

    /// <summary>The next character, which there is.</summary>
    public char Peek() => _buffer[_at];

    public char Next() => _buffer[_at++];

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        _end = await reader.ReadAsync(_buffer, cancellationToken);
        _at = 0;
        return _end > 0;
    }
}
