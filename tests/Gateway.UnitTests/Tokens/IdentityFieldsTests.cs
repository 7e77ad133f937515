using Gateway.Tokens;

namespace Gateway.UnitTests.Tokens;

public sealed class IdentityFieldsTests
{
    [Theory]
    [InlineData("X-Auth-Subject", true)]
    [InlineData("x-AUTH-", true)]
    [InlineData("X_Auth-Subject", true)]
    [InlineData("X-Auth", false)]
    [InlineData("X-Author", false)]
    [InlineData("Authorization", false)]
    [InlineData("My-X-Auth-Subject", false)]
    public void A_prefix_is_found_whatever_its_spelling(string name, bool expected) =>
        Assert.Equal(expected, IdentityFields.HasPrefix(name, "X-Auth-"));

    [Theory]
    [InlineData("alice", "alice")]
    [InlineData("a b", "a b")]
    [InlineData(" a ", "%20a%20")]
    [InlineData(" ", "%20")]
    [InlineData("", "")]
    [InlineData("50%", "50%25")]
    [InlineData("a,b", "a%2Cb")]
    [InlineData("a\r\nb", "a%0D%0Ab")]
    [InlineData("\u00e9\ud83d\ude00", "%C3%A9%F0%9F%98%80")]
    public void A_value_can_be_read_back_whole(string value, string expected)
    {
        Assert.Equal(expected, IdentityFields.Encode(value));
        Assert.Equal(value, Uri.UnescapeDataString(expected));
    }
}
