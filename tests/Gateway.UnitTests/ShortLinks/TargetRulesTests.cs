using System.Net;
using Gateway.ShortLinks;

namespace Gateway.UnitTests.ShortLinks;

public sealed class TargetRulesTests
{
    [Theory]
    [InlineData("https://shop.example")]
    [InlineData("https://shop.example/")]
    [InlineData("HTTPS://Shop.Example/A%2fb?a=%41&b=%0A#top")]
    [InlineData("http://shop.example:8080/a/../b")]
    [InlineData("https://xn--bcher-kva.example/")]
    [InlineData("https://a_b.shop.example/")]
    [InlineData("http://8.8.8.8/")]
    [InlineData("http://172.32.0.1/")]
    [InlineData("http://[2606:4700::1111]/")]
    [InlineData("https://shop.example/@user")]
    [InlineData("https://shop.example/?next=http://localhost/")]
    public void A_public_target_is_taken_as_it_was_written(string text)
    {
        Assert.True(TargetRules.TryRead(text, new ShortLinksOptions(), out var target, out var problem), problem);
        Assert.Equal(text, target.OriginalString);
    }

    [Fact]
    public void What_is_not_ASCII_in_path_and_query_is_escaped()
    {
        Assert.True(TargetRules.TryRead("https://shop.example/ä?ö=ü#é", new ShortLinksOptions(), out var target, out _));
        Assert.Equal("https://shop.example/%C3%A4?%C3%B6=%C3%BC#%C3%A9", target.OriginalString);
    }

    [Theory]
    [InlineData("http://localhost:8080/catalog/1")]
    [InlineData("http://192.168.0.1/")]
    [InlineData("http://[::1]:5000/")]
    [InlineData("http://storefront/")]
    public void Private_targets_are_taken_where_they_are_allowed(string text)
    {
        Assert.False(TargetRules.TryRead(text, new ShortLinksOptions(), out _, out _));
        Assert.True(TargetRules.TryRead(text, new ShortLinksOptions { AllowPrivateTargets = true }, out _, out var problem), problem);
    }

    [Fact]
    public void A_scheme_is_taken_where_it_is_allowed()
    {
        var options = new ShortLinksOptions { AdditionalSchemes = { "myapp" } };

        Assert.False(TargetRules.TryRead("myapp://shop.example/1", new ShortLinksOptions(), out _, out _));
        Assert.True(TargetRules.TryRead("MyApp://shop.example/1", options, out _, out var problem), problem);
        Assert.False(TargetRules.TryRead("myapp:alert(1)", options, out _, out _));
    }

    [Fact]
    public void A_target_is_at_most_2048_characters_long()
    {
        var longest = "https://shop.example/".PadRight(TargetRules.MaxLength, 'a');

        Assert.True(TargetRules.TryRead(longest, new ShortLinksOptions(), out _, out _));
        Assert.False(TargetRules.TryRead(longest + "a", new ShortLinksOptions(), out _, out _));
    }

    [Theory]
    [InlineData("9.255.255.255", false)]
    [InlineData("10.0.0.0", true)]
    [InlineData("11.0.0.0", false)]
    [InlineData("100.63.255.255", false)]
    [InlineData("100.127.255.255", true)]
    [InlineData("172.15.255.255", false)]
    [InlineData("172.31.255.255", true)]
    [InlineData("192.167.255.255", false)]
    [InlineData("223.255.255.255", false)]
    [InlineData("224.0.0.0", true)]
    [InlineData("::ffff:8.8.8.8", false)]
    [InlineData("::ffff:10.0.0.1", true)]
    [InlineData("64:ff9b::808:808", false)]
    [InlineData("64:ff9b::a00:1", true)]
    [InlineData("2002:808:808::1", false)]
    [InlineData("2002:a00:1::1", true)]
    [InlineData("3fff::1", false)]
    [InlineData("4000::1", true)]
    public void Networks_that_are_not_the_Internet_are_known(string address, bool isPrivate) =>
        Assert.Equal(isPrivate, TargetRules.IsPrivate(IPAddress.Parse(address)));
}
