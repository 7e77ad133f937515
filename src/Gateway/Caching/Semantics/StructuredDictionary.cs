using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Semantics;

/// <summary>The types of Structured Fields items that callers tell apart.</summary>
internal enum StructuredType
{
    Integer,
    Boolean,
    String,
    Token,

    /// <summary>A decimal, a byte sequence or an inner list.</summary>
    Other,
}

/// <summary>The value of a dictionary's member, without its parameters.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Text">Digits with their sign, 0 or 1, or the text without quotes and escapes; empty for <see cref="StructuredType.Other"/>.</param>
internal readonly record struct StructuredItem(StructuredType Type, string Text);

/// <summary>
/// Parses Dictionary Structured Fields (RFC 9651 §3.2, §4.2), strictly: one error and the whole field counts as none. Dates
/// and display strings are such errors: fields defined before RFC 9651, as RFC 9213 did, do not have them.
/// </summary>
internal ref struct StructuredDictionary
{
    // As many as every parser has to take: RFC 9651 §3.2.
    private const int MaxMembers = 1024;

    private ReadOnlySpan<char> _rest;

    private StructuredDictionary(ReadOnlySpan<char> text) => _rest = text;

    /// <returns>The members, of a repeated key the last; null where the field is none.</returns>
    public static Dictionary<string, StructuredItem>? Parse(StringValues field)
    {
        var parser = new StructuredDictionary(string.Join(", ", field.ToArray()).AsSpan().Trim(' '));
        var members = new Dictionary<string, StructuredItem>(StringComparer.Ordinal);
        while (!parser._rest.IsEmpty)
        {
            if (!parser.TryReadMember(out var name, out var item) || members.Count == MaxMembers)
                return null;
            members[name] = item;
            if (!parser.TryReadSeparator())
                return null;
        }

        return members;
    }

    private bool TryReadMember(out string name, out StructuredItem item)
    {
        item = new StructuredItem(StructuredType.Boolean, "1");
        if (!TryReadKey(out name))
            return false;
        if (TryRead('=') && !(_rest.StartsWith("(") ? TryReadInnerList(out item) : TryReadItem(out item)))
            return false;
        return TryReadParameters();
    }

    // OWS "," OWS; a comma must be followed by a member.
    private bool TryReadSeparator()
    {
        _rest = _rest.TrimStart(" \t");
        if (_rest.IsEmpty)
            return true;
        if (!TryRead(','))
            return false;
        _rest = _rest.TrimStart(" \t");
        return !_rest.IsEmpty;
    }

    private bool TryReadKey(out string key)
    {
        var length = 0;
        while (length < _rest.Length && (char.IsAsciiLetterLower(_rest[length]) || _rest[length] == '*'
            || (length > 0 && (char.IsAsciiDigit(_rest[length]) || _rest[length] is '_' or '-' or '.'))))
            length++;
        key = Take(length).ToString();
        return key.Length > 0;
    }

    private bool TryReadParameters()
    {
        while (TryRead(';'))
        {
            _rest = _rest.TrimStart(' ');
            if (!TryReadKey(out _) || (TryRead('=') && !TryReadItem(out _)))
                return false;
        }

        return true;
    }

    private bool TryReadInnerList(out StructuredItem item)
    {
        item = new StructuredItem(StructuredType.Other, "");
        TryRead('(');
        while (true)
        {
            _rest = _rest.TrimStart(' ');
            if (TryRead(')'))
                return true;
            if (!TryReadItem(out _) || !TryReadParameters() || _rest.IsEmpty || _rest[0] is not (' ' or ')'))
                return false;
        }
    }

    private bool TryReadItem(out StructuredItem item)
    {
        item = default;
        var first = _rest.IsEmpty ? '\0' : _rest[0];
        return first switch
        {
            '"' => TryReadString(out item),
            '?' => TryReadBoolean(out item),
            ':' => TryReadBytes(out item),
            '-' or (>= '0' and <= '9') => TryReadNumber(out item),
            '*' => TryReadToken(out item),
            _ => char.IsAsciiLetter(first) && TryReadToken(out item),
        };
    }

    private bool TryReadString(out StructuredItem item)
    {
        item = default;
        var text = new System.Text.StringBuilder();
        for (var i = 1; i < _rest.Length; i++)
        {
            var c = _rest[i];
            if (c == '"')
            {
                Take(i + 1);
                item = new StructuredItem(StructuredType.String, text.ToString());
                return true;
            }

            if (c == '\\' && (++i >= _rest.Length || _rest[i] is not ('"' or '\\')))
                return false;
            if (c is < ' ' or > '~')
                return false;
            text.Append(_rest[i]);
        }

        return false;
    }

    private bool TryReadBoolean(out StructuredItem item)
    {
        item = default;
        if (_rest.Length < 2 || _rest[1] is not ('0' or '1'))
            return false;
        item = new StructuredItem(StructuredType.Boolean, Take(2)[1..].ToString());
        return true;
    }

    private bool TryReadBytes(out StructuredItem item)
    {
        item = new StructuredItem(StructuredType.Other, "");
        var length = _rest[1..].IndexOf(':');
        return length >= 0 && System.Buffers.Text.Base64.IsValid(Take(length + 2)[1..^1]);
    }

    // sf-integer: 15 digits; sf-decimal: 12 and 3.
    private bool TryReadNumber(out StructuredItem item)
    {
        item = default;
        var sign = _rest[0] == '-' ? 1 : 0;
        var digits = CountDigits(_rest[sign..]);
        if (digits == 0)
            return false;
        if (sign + digits < _rest.Length && _rest[sign + digits] == '.')
        {
            var fraction = CountDigits(_rest[(sign + digits + 1)..]);
            Take(sign + digits + 1 + fraction);
            item = new StructuredItem(StructuredType.Other, "");
            return digits <= 12 && fraction is >= 1 and <= 3;
        }

        item = new StructuredItem(StructuredType.Integer, Take(sign + digits).ToString());
        return digits <= 15;
    }

    private bool TryReadToken(out StructuredItem item)
    {
        var length = 1;
        while (length < _rest.Length && (char.IsAsciiLetterOrDigit(_rest[length]) || "!#$%&'*+-.^_`|~:/".Contains(_rest[length], StringComparison.Ordinal)))
            length++;
        item = new StructuredItem(StructuredType.Token, Take(length).ToString());
        return true;
    }

    private bool TryRead(char expected)
    {
        if (_rest.IsEmpty || _rest[0] != expected)
            return false;
        _rest = _rest[1..];
        return true;
    }

    private ReadOnlySpan<char> Take(int length)
    {
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private static int CountDigits(ReadOnlySpan<char> text)
    {
        var count = text.IndexOfAnyExceptInRange('0', '9');
        return count < 0 ? text.Length : count;
    }
}
