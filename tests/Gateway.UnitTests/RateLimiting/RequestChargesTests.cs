using System.Net;
using Gateway.RateLimiting;
using Gateway.Redis;
using Gateway.UnitTests.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Gateway.UnitTests.RateLimiting;

public sealed class RequestChargesTests
{
    private readonly RateLimitPolicy _policy = new(
        "api", [new RateLimit("one", RateLimitAlgorithm.FixedWindow, 5, [new IdentityPart(IdentitySource.Header, "x-key"), new IdentityPart(IdentitySource.Route, "")])], HasOneIdentity: true);

    [Fact]
    public void A_client_has_the_same_counter_each_time_remembered_or_not()
    {
        var charges = NewCharges();
        foreach (var key in new[] { "short", new string('k', 30_000) })
            Assert.Equal(KeyOf(charges, key), KeyOf(charges, key));

        Assert.NotEqual(KeyOf(charges, new string('k', 30_000)), KeyOf(charges, new string('k', 30_001)));
    }

    [Fact]
    public void Long_fields_are_not_kept_in_memory()
    {
        var charges = NewCharges();
        for (var i = 0; i < 100; i++)
            KeyOf(charges, new string('k', 10_000 + i));

        KeyOf(charges, "short");
        Assert.Single(_policy.Limits[0].KnownClients);
    }

    [Fact]
    public void What_is_beyond_the_budget_is_counted_with_requests_that_show_no_identity()
    {
        var charges = NewCharges(newIdentities: 1);
        var first = KeyOf(charges, "first");
        var nameless = KeyOf(charges, null);

        Assert.NotEqual(first, nameless);
        Assert.Equal(nameless, KeyOf(charges, "second"));
        Assert.Equal(nameless, KeyOf(charges, "third"));
        Assert.Equal(first, KeyOf(charges, "first"));
    }

    [Fact]
    public void Addresses_of_one_network_have_one_counter_and_a_flood_of_them_is_forgotten()
    {
        var charges = NewCharges();
        var policy = new RateLimitPolicy("api", [new RateLimit("one", RateLimitAlgorithm.FixedWindow, 5, [IdentityPart.ClientIp])], HasOneIdentity: true);
        string KeyOf(string address)
        {
            var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(address) } };
            Assert.Equal(charges.OfOnly(policy, context).Key, charges.Of(policy, context, out _)![0].Key);
            return charges.OfOnly(policy, context).Key;
        }

        Assert.Equal(KeyOf("2001:db8::1"), KeyOf("2001:db8::2"));
        Assert.NotEqual(KeyOf("2001:db8::1"), KeyOf("2001:db8:0:1::1"));
        Assert.Equal(KeyOf("192.0.2.1"), KeyOf("::ffff:192.0.2.1"));
        for (var i = 0; i <= RequestCharges.MaxKnownClients; i++)
            KeyOf($"10.0.{i / 256}.{i % 256}");
        Assert.InRange(policy.Limits[0].KnownAddresses.Count, 1, RequestCharges.MaxKnownClients);
        Assert.InRange(policy.Limits[0].KnownClients.Count, 1, RequestCharges.MaxKnownClients);
    }

    private static RequestCharges NewCharges(int newIdentities = 1000) => new(
        new RedisKeys(Options.Create(new RedisOptions())),
        new IdentityBudget(new FixedOptions<RateLimitingOptions>(new RateLimitingOptions { NewIdentitiesPerMinute = newIdentities }), TimeProvider.System));

    private string KeyOf(RequestCharges charges, string? key)
    {
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Loopback } };
        if (key is not null)
            context.Request.Headers["X-Key"] = key;
        return charges.Of(_policy, context, out _)![0].Key;
    }
}
