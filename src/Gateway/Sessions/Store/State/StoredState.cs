using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Gateway.Sessions.Store.State;

/// <summary>
/// A session of ASP.NET Core (<see cref="ISession"/>) in the session store. It is loaded before the request goes on and
/// saved before its response where possible; using it while it could not be loaded throws
/// <see cref="SessionStoreUnavailableException"/>, since an empty one in its place would replace it.
/// </summary>
internal sealed class StoredState(SessionStore store, string key, TimeSpan idleTimeout, Func<bool> tryEstablish, bool isNew) : ISession
{
    private const byte Version = 1;

    private readonly SessionKey _session = SessionKey.OfNobody(key);
    private Dictionary<string, byte[]>? _values;
    private bool _isNew = isNew;
    private bool _isChanged;

    public bool IsAvailable => _values is not null;

    /// <summary>Not what the cookie holds: it may be logged.</summary>
    public string Id => _session.Subject;

    public IEnumerable<string> Keys => Values.Keys;

    private Dictionary<string, byte[]> Values => _values ?? throw new SessionStoreUnavailableException();

    public async Task LoadAsync(CancellationToken cancellationToken = default)
    {
        if (_values is null && !await TryLoadAsync(cancellationToken))
            throw new SessionStoreUnavailableException();
    }

    /// <returns>False when Redis does not answer.</returns>
    public async ValueTask<bool> TryLoadAsync(CancellationToken cancellationToken)
    {
        if (_isNew)
        {
            // Nobody can have stored it: Redis is not asked, only whether it could be.
            _values = store.IsAvailable ? new(StringComparer.Ordinal) : null;
            return IsAvailable;
        }

        var reply = await store.ReadAsync(_session, cancellationToken);
        if (!reply.TryGet(out var stored))
            return false;
        _isNew = stored is null;
        _values = stored is null ? new(StringComparer.Ordinal) : Deserialize(stored.Content);
        return true;
    }

    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        if (!_isChanged)
            return;
        var content = Serialize(Values);
        if (_isNew || !await store.UpdateAsync(_session, content, cancellationToken))
            await store.CreateAsync(_session, content, idleTimeout, slides: true, cancellationToken);
        (_isNew, _isChanged) = (false, false);
    }

    public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value) => Values.TryGetValue(key, out value);

    public void Set(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var values = Values;
        if (!tryEstablish())
            throw new InvalidOperationException("A session cannot begin after the response has: its cookie could not be sent.");
        values[key] = [.. value];
        _isChanged = true;
    }

    public void Remove(string key) => _isChanged |= Values.Remove(key);

    public void Clear()
    {
        _isChanged |= Values.Count > 0;
        Values.Clear();
    }

    /// <summary>Gives up what could not be saved, so that it is not tried again after the response.</summary>
    public void Abandon() => _isChanged = false;

    private static byte[] Serialize(Dictionary<string, byte[]> values)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(Version);
        writer.Write7BitEncodedInt(values.Count);
        foreach (var (name, value) in values)
        {
            writer.Write(name);
            writer.Write7BitEncodedInt(value.Length);
            writer.Write(value);
        }

        return bytes.ToArray();
    }

    // Only this class wrote it, which DataProtection proves; another version is a session that begins anew.
    private static Dictionary<string, byte[]> Deserialize(byte[] content)
    {
        var values = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        using var reader = new BinaryReader(new MemoryStream(content), Encoding.UTF8);
        if (reader.ReadByte() != Version)
            return values;
        for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
        {
            var name = reader.ReadString();
            values[name] = reader.ReadBytes(reader.Read7BitEncodedInt());
        }

        return values;
    }
}
