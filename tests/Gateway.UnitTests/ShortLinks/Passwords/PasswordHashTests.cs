using Gateway.ShortLinks.Passwords;

namespace Gateway.UnitTests.ShortLinks.Passwords;

public sealed class PasswordHashTests
{
    [Fact]
    public void A_password_is_known_by_its_hash_and_no_two_hashes_are_alike()
    {
        var hash = PasswordHash.Create("open sesame");

        Assert.True(PasswordHash.Verify("open sesame", hash));
        Assert.False(PasswordHash.Verify("open sesam", hash));
        Assert.NotEqual(hash, PasswordHash.Create("open sesame"));
        Assert.DoesNotContain("sesame", hash, StringComparison.Ordinal);
        Assert.True(PasswordHash.IsWellFormed(hash));
    }

    [Theory]
    [InlineData("")]
    [InlineData("=")]
    [InlineData("open sesame")]
    [InlineData("pbkdf2-sha512:1:AAAAAAAAAAAAAAAAAAAAAA==:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("pbkdf2-sha512:2000000000:AAAAAAAAAAAAAAAAAAAAAA==:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("pbkdf2-sha512:210000:AAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("pbkdf2-sha512:210000:AAAAAAAAAAAAAAAAAAAAAA==:")]
    [InlineData("md5:210000:AAAAAAAAAAAAAAAAAAAAAA==:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    public void What_is_no_hash_or_costs_too_little_or_too_much_is_refused(string text)
    {
        Assert.False(PasswordHash.IsWellFormed(text));
        Assert.False(PasswordHash.Verify("open sesame", text));
    }
}
