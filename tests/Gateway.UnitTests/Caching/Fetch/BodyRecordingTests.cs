using Gateway.Caching.Fetch;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.Caching.Fetch;

public sealed class BodyRecordingTests
{
    private const int Limit = 512 << 10;

    private readonly FakeTimeProvider _time = new();
    private readonly RecordingBudget _budget = new(1 << 20);
    private int _cut;

    [Theory]
    [InlineData(null)]
    [InlineData(100_000L)]
    public async Task Every_reader_gets_what_was_written_whenever_it_joins(long? announced)
    {
        using var recording = Begin(announced);
        var body = Bytes(100_000);
        using var early = Join(recording);
        for (var i = 0; i < body.Length; i += 1000)
            Assert.True(await recording.TryAppendAsync(body.AsMemory(i, 1000)));
        using var late = Join(recording);
        recording.End(isWhole: true);

        Assert.True(recording.IsComplete);
        Assert.Equal(body, await ReadAllAsync(early));
        Assert.Equal(body, recording.Join().ToArray());
        Assert.Equal(body, await ReadAllAsync(late));
    }

    [Fact]
    public async Task A_reader_waits_for_what_comes_and_a_broken_body_ends_broken()
    {
        using var recording = Begin(null);
        using var reader = Join(recording);
        var reading = reader.ReadAsync(CancellationToken.None).AsTask();
        Assert.False(reading.IsCompleted);

        await recording.TryAppendAsync(new byte[] { 1 });
        Assert.Equal(1, (await reading).Bytes.Span[0]);
        reader.Advance(1);
        recording.End(isWhole: false);

        Assert.True((await reader.ReadAsync(CancellationToken.None)).IsBroken);
    }

    [Fact]
    public async Task An_outgrown_body_is_joined_no_more_and_waits_for_who_is_behind()
    {
        using var recording = Begin(null);
        using var reader = Join(recording);
        Assert.True(await recording.TryAppendAsync(new byte[Limit]));

        var appending = recording.TryAppendAsync(new byte[1000]).AsTask();

        Assert.True(recording.IsOutgrown);
        Assert.True(recording.IsTooLarge);
        Assert.Null(recording.TryJoin(isOwn: false, () => { }));
        Assert.False(appending.IsCompleted);
        await TakeAsync(reader, Limit - BodyRecording.Window);
        Assert.True(await appending.WaitAsync(TimeSpan.FromSeconds(10)));
        recording.End(isWhole: true);
        Assert.Equal(BodyRecording.Window + 1000, (await ReadAllAsync(reader)).Length);
        Assert.Equal(0, _cut);
    }

    [Fact]
    public async Task Who_takes_something_now_and_then_is_waited_for_and_who_takes_nothing_is_cut_off()
    {
        using var recording = Begin(null);
        using var slow = Join(recording);
        using var other = Join(recording);
        await recording.TryAppendAsync(new byte[Limit]);
        await TakeAsync(other, Limit);
        var appending = recording.TryAppendAsync(new byte[1000]).AsTask();

        _time.Advance(TimeSpan.FromSeconds(4));
        await TakeAsync(slow, 64 << 10);
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(appending.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.True(await appending.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(1, _cut);
        Assert.True(slow.Read().IsBroken);
        Assert.Equal(1000, other.Read().Bytes.Length);
    }

    [Fact]
    public async Task An_outgrown_body_that_only_its_own_client_reads_is_recorded_no_more()
    {
        using var recording = Begin(null);
        using var own = recording.TryJoin(isOwn: true, () => _cut++);
        var follower = Join(recording);
        await recording.TryAppendAsync(new byte[Limit]);
        var appending = recording.TryAppendAsync(new byte[1000]).AsTask();
        Assert.False(appending.IsCompleted);

        follower.Dispose();

        Assert.False(await appending.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(0, _cut);
    }

    [Fact]
    public async Task Its_memory_goes_back_when_it_is_handed_over_or_the_last_reader_has_left()
    {
        var stored = Begin(null);
        var keptOpen = Begin(null);
        await stored.TryAppendAsync(new byte[100_000]);
        await keptOpen.TryAppendAsync(new byte[100_000]);
        var readers = (Join(stored), Join(keptOpen));
        stored.End(isWhole: true);
        stored.Join();
        Assert.InRange(_budget.Used, 200_000, 300_000);

        stored.HandOver();
        stored.Dispose();
        Assert.InRange(_budget.Used, 100_000, 150_000);
        Assert.Equal(100_000, (await ReadAllAsync(readers.Item1)).Length);
        keptOpen.Dispose();
        Assert.InRange(_budget.Used, 100_000, 150_000);
        readers.Item2.Dispose();
        Assert.Equal(0, _budget.Used);
        readers.Item1.Dispose();
    }

    [Fact]
    public async Task Recordings_together_reserve_no_more_than_the_budget()
    {
        using var first = Begin(700_000);
        using var second = new BodyRecording(_budget, 1 << 20, 700_000, _time);
        using var third = Begin(null);

        Assert.False(second.TryBegin());
        Assert.False(second.IsTooLarge);
        Assert.True(await third.TryAppendAsync(new byte[300_000]));
        Assert.False(await third.TryAppendAsync(new byte[100_000]));
        Assert.True(third.IsOutgrown);
        Assert.False(third.IsTooLarge);
        Assert.InRange(_budget.Used, 1_000_000, 1 << 20);
    }

    private BodyRecording Begin(long? announced)
    {
        var recording = new BodyRecording(_budget, announced ?? Limit, announced, _time);
        Assert.True(recording.TryBegin());
        return recording;
    }

    private BodyReader Join(BodyRecording recording) => recording.TryJoin(isOwn: false, () => _cut++)!;

    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(i * 31))];

    private static async Task TakeAsync(BodyReader reader, int count)
    {
        while (count > 0)
        {
            var taken = Math.Min(count, (await reader.ReadAsync(CancellationToken.None)).Bytes.Length);
            reader.Advance(taken);
            count -= taken;
        }
    }

    private static async Task<byte[]> ReadAllAsync(BodyReader reader)
    {
        var all = new List<byte>();
        for (var piece = await reader.ReadAsync(CancellationToken.None); piece.Bytes.Length > 0; piece = await reader.ReadAsync(CancellationToken.None))
        {
            all.AddRange(piece.Bytes.Span);
            reader.Advance(piece.Bytes.Length);
        }

        return [.. all];
    }
}
