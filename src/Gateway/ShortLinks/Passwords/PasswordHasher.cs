namespace Gateway.ShortLinks.Passwords;

/// <summary>Hashes passwords off the request's thread, on half of the cores at most: slow hashing is a lever on the node otherwise.</summary>
internal sealed class PasswordHasher : IDisposable
{
    private const int MaxWaiting = 32;

    private readonly SemaphoreSlim _slots = new(Math.Max(1, Environment.ProcessorCount / 2));
    private int _waiting;

    /// <returns>Null: too many wait.</returns>
    public async ValueTask<string?> TryHashAsync(string password, CancellationToken cancellationToken) =>
        await RunAsync(() => PasswordHash.Create(password), cancellationToken);

    /// <returns>Null: too many wait.</returns>
    public async ValueTask<bool?> TryVerifyAsync(string password, string hash, CancellationToken cancellationToken) =>
        await RunAsync<bool?>(() => PasswordHash.Verify(password, hash), cancellationToken);

    public void Dispose() => _slots.Dispose();

    private async Task<T?> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        try
        {
            if (Interlocked.Increment(ref _waiting) > MaxWaiting)
                return default;
            await _slots.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        try
        {
            return await Task.Run(work, cancellationToken);
        }
        finally
        {
            _slots.Release();
        }
    }
}
