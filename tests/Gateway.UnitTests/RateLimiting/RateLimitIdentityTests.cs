using System.Net;
using System.Security.Claims;
using Gateway.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Gateway.UnitTests.RateLimiting;

public sealed class RateLimitIdentityTests
{
    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    [InlineData("2001:db8:1:2:ffff::1", "2001:db8:1:2::")]
    [InlineData("2001:db8:1:2::ffff", "2001:db8:1:2::")]
    public void An_IPv6_client_is_its_network_of_64_bits(string address, string network) =>
        Assert.Equal(network, IdentityPart.ClientNetwork(IPAddress.Parse(address)));

    [Theory]
    [InlineData("ClientIp", true)]
    [InlineData("route", true)]
    [InlineData("Header:X-Key", true)]
    [InlineData("Claim:plan", true)]
    [InlineData("Host", true)]
    [InlineData("Cookie:session", true)]
    [InlineData("Host:x", false)]
    [InlineData("Cookie", false)]
    [InlineData("Route:", false)]
    [InlineData("Header", false)]
    [InlineData("Header:", false)]
    [InlineData("ClientIp:x", false)]
    [InlineData("1", false)]
    [InlineData("ClientIp,Route", false)]
    [InlineData("Route,Header:X-Key", false)]
    [InlineData(" Route", false)]
    [InlineData("Colour:x", false)]
    [InlineData("", false)]
    public void Parts_are_read_as_configuration_writes_them(string text, bool isKnown) =>
        Assert.Equal(isKnown, text.Length > 0 && IdentityPart.TryParse(text, out _));

    [Fact]
    public void Hosts_and_names_of_fields_ignore_case()
    {
        var context = new DefaultHttpContext { Request = { Host = new HostString("Shop.Example", 8443) } };
        Assert.Equal("shop.example", new IdentityPart(IdentitySource.Host, "").Read(context));
        Assert.True(IdentityPart.TryParse("header:X-Key", out var upper) && IdentityPart.TryParse("Header:x-key", out var lower) && upper == lower);
    }

    [Fact]
    public void No_two_identities_are_alike_whatever_their_parts_contain()
    {
        IdentityPart[] by = [new(IdentitySource.Header, "A"), new(IdentitySource.Header, "B")];
        (string? A, string? B)[] requests = [("x", "y"), ("xy", ""), ("", "xy"), ("x1:y", ""), ("x", "2:1:B1:y"), (null, "x"), ("x", null), (null, null), ("127.0.0.1", "x")];

        var identities = requests.Select(request =>
        {
            var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Loopback } };
            if (request.A is not null)
                context.Request.Headers["A"] = request.A;
            if (request.B is not null)
                context.Request.Headers["B"] = request.B;
            return RateLimitIdentity.Of(by, static (part, context) => part.Read(context), context);
        });

        Assert.Equal(requests.Length, identities.Distinct().Count());
    }

    [Theory]
    [InlineData("ClientIp", "192.0.2.1")]
    [InlineData("Header:X-Key", "one")]
    [InlineData("Header:X-Lines", null)]
    [InlineData("Claim:plan", "gold")]
    [InlineData("Cookie:session", "s1")]
    [InlineData("Host", "shop.example")]
    [InlineData("Route", "catalog")]
    [InlineData("Header:X-Other", null)]
    [InlineData("Claim:other", null)]
    [InlineData("Cookie:other", null)]
    public void A_part_is_read_from_the_request(string text, string? value)
    {
        var context = new DefaultHttpContext
        {
            Connection = { RemoteIpAddress = IPAddress.Parse("192.0.2.1") },
            User = new ClaimsPrincipal(new ClaimsIdentity([new Claim("plan", "gold")], "test")),
        };
        context.Request.Headers["X-Key"] = "one";
        context.Request.Headers["X-Lines"] = new StringValues(["one", "two"]);
        context.Request.Headers.Cookie = "session=s1";
        context.Request.Host = new HostString("Shop.Example", 8080);
        context.SetEndpoint(new Endpoint(null, null, "catalog"));

        Assert.True(IdentityPart.TryParse(text, out var part));
        Assert.Equal(value, part.Read(context));
    }
}
