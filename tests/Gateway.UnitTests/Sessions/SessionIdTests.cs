using Gateway.Sessions.Store;

namespace Gateway.UnitTests.Sessions;

public sealed class SessionIdTests
{
    [Fact]
    public void An_id_is_read_as_it_was_written_and_says_whose_it_is_only_by_a_hash()
    {
        var id = SessionId.New("alice");

        Assert.True(SessionId.TryParse(id.Reveal(), out var read));
        Assert.Equal(id, read);
        Assert.Equal(SessionId.SubjectOf("alice"), id.Subject);
        Assert.Equal(96, id.Reveal().Length);
    }

    [Fact]
    public void No_two_ids_are_alike_and_those_of_nobody_share_no_slot()
    {
        Assert.NotEqual(SessionId.New("alice").Secret, SessionId.New("alice").Secret);
        Assert.NotEqual(SessionId.New(null).Subject, SessionId.New(null).Subject);
    }

    [Fact]
    public void What_it_is_called_elsewhere_does_not_reveal_it()
    {
        var id = SessionId.New("alice");

        Assert.DoesNotContain(id.Secret, $"{id} {id.Hash} {SessionKey.Of(id)}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0123")]
    [InlineData("short of a digit")]
    [InlineData("upper case")]
    [InlineData("*")]
    public void What_is_no_id_is_refused(string? text)
    {
        var good = SessionId.New(null).Reveal();
        var bad = text switch
        {
            "short of a digit" => good[1..],
            "upper case" => "A" + good[1..],
            "*" => "*" + good[1..],
            _ => text,
        };

        Assert.False(SessionId.TryParse(bad, out _));
    }
}
