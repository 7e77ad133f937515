using System.Net;
using Gateway.ShortLinks;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.ShortLinks;

public sealed class SlugGuessesTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_client_is_refused_after_its_answers_404_until_the_minute_is_over()
    {
        var guesses = Create(3);
        for (var i = 0; i < 3; i++)
        {
            Assert.False(guesses.IsOver(1, out _));
            guesses.Note(1);
        }

        _time.Advance(TimeSpan.FromSeconds(40));
        Assert.True(guesses.IsOver(1, out var retryAfter));
        Assert.Equal(TimeSpan.FromSeconds(20), retryAfter);
        Assert.False(guesses.IsOver(2, out _));
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.False(guesses.IsOver(1, out _));
        guesses.Note(1);
        Assert.False(guesses.IsOver(1, out _));
    }

    [Fact]
    public void Without_a_limit_nothing_is_remembered()
    {
        var guesses = Create(0);
        guesses.Note(1);

        Assert.Equal(0, guesses.ClientCount);
        Assert.False(guesses.IsOver(1, out _));
    }

    [Fact]
    public void Clients_are_remembered_within_bounds()
    {
        var guesses = Create(3);
        for (var i = 0UL; i < SlugGuesses.MaxClients * 2; i++)
            guesses.Note(i);

        Assert.InRange(guesses.ClientCount, 1, SlugGuesses.MaxClients);
    }

    [Theory]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    public void A_client_is_an_IPv4_address_or_an_IPv6_network(string one, string other, bool isSame) =>
        Assert.Equal(isSame, ClientNetwork.Of(IPAddress.Parse(one)) == ClientNetwork.Of(IPAddress.Parse(other)));

    private SlugGuesses Create(int perMinute) => new(new FixedOptions(new ShortLinksOptions { UnknownPerMinute = perMinute }), _time);

    private sealed class FixedOptions(ShortLinksOptions value) : IOptionsMonitor<ShortLinksOptions>
    {
        public ShortLinksOptions CurrentValue => value;

        public ShortLinksOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<ShortLinksOptions, string?> listener) => null;
    }
}
