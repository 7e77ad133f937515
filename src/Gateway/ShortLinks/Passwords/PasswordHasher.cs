namespace Gateway.ShortLinks.Passwords;

/// <summary>Hashes passwords off the request's thread, on half of the cores at most: slow hashing is a lever on the node otherwise.</summary>
internal sealed class PasswordHasher : IDisposable
{
    private const int MaxWaiting = 32;

    private readonly SemaphoreSlim _slots = new(Math.Max(1, Environment.ProcessorCount / 2));
    private int _waiting;

    /// <returns>Null: too many wait.</returns>
    public async ValueTask<string?> TryHashAsync(string password, CancellationToken cancellationToken)
    {
        using var slot = await TryEnterAsync(cancellationToken);
        return slot is null ? null : await Task.Run(() => PasswordHash.Create(password), cancellationToken);
    }

    /// <returns>Null: too many wait.</returns>
    public async ValueTask<bool?> TryVerifyAsync(string password, string hash, CancellationToken cancellationToken)
    {
        using var slot = await TryEnterAsync(cancellationToken);
        return slot is null ? null : await slot.VerifyAsync(password, hash);
    }

    /// <summary>Waits for a turn, for those who have something to do between that and the comparison.</summary>
    /// <returns>The turn, which disposing ends. Null: too many wait.</returns>
    public async ValueTask<Slot?> TryEnterAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (Interlocked.Increment(ref _waiting) > MaxWaiting)
                return null;
            await _slots.WaitAsync(cancellationToken);
            return new Slot(_slots);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public void Dispose() => _slots.Dispose();

    /// <summary>A turn to compare a password.</summary>
    public sealed class Slot(SemaphoreSlim slots) : IDisposable
    {
        private bool _isOver;

        /// <summary>Compares to the end, whoever is gone meanwhile: what it comes to is always known.</summary>
        public Task<bool> VerifyAsync(string password, string hash)
        {
            ObjectDisposedException.ThrowIf(_isOver, this);
            return Task.Run(() => PasswordHash.Verify(password, hash));
        }

        public void Dispose()
        {
            if (!_isOver)
                slots.Release();
            _isOver = true;
        }
    }
}
