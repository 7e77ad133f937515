namespace Gateway.Redis;

/// <summary>Follows where commands end in what is sent to Redis: arrays of bulk strings, each with its length before it.</summary>
internal struct CommandFraming
{
    private const byte Array = (byte)'*';
    private const int LineEnd = 2;

    private byte _kind;
    private long _number;
    private long _strings;
    private long _skip;

    /// <summary>Adds the next bytes, however they are cut.</summary>
    /// <returns>Whether no command is begun and not ended.</returns>
    public bool Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_skip > 0)
            {
                var skipped = (int)Math.Min(_skip, bytes.Length);
                _skip -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            AddToLength(bytes[0]);
            bytes = bytes[1..];
        }

        return _strings == 0 && _skip == 0 && _kind == 0;
    }

    private void AddToLength(byte next)
    {
        if (char.IsAsciiDigit((char)next))
        {
            _number = (10 * _number) + next - '0';
        }
        else if (next != '\n')
        {
            if (next != '\r')
                (_kind, _number) = (next, 0);
        }
        else if (_kind == Array)
        {
            (_strings, _kind) = (_number, 0);
        }
        else
        {
            _strings--;
            (_skip, _kind) = (_number + LineEnd, 0);
        }
    }
}
