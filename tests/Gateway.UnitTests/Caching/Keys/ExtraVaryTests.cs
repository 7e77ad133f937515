using System.Security.Claims;
using Gateway.Caching;
using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Microsoft.AspNetCore.Http;

namespace Gateway.UnitTests.Caching.Keys;

public sealed class ExtraVaryTests
{
    private static readonly HttpCachePolicyOptions ByAll = new() { VaryByHeader = { "X-Tenant", "Accept" }, VaryByCookie = { "a", "b" }, VaryByClaim = { "sub", "role" } };

    [Theory]
    // Each row twice: what makes one group, and what makes another.
    [InlineData("X-Tenant: a", "X-Tenant: b")]
    [InlineData("X-Tenant: a", "")]
    [InlineData("X-Tenant: a", "Accept: a")]
    [InlineData("Cookie: a=1", "Cookie: a=2")]
    [InlineData("Cookie: a=1", "Cookie: b=1")]
    [InlineData("Cookie: a=", "Cookie: b=")]
    [InlineData("Cookie: a=1", "Cookie: a=1; a=2")]
    [InlineData("Cookie: a=1; a=2", "Cookie: a=2; a=1")]
    [InlineData("Cookie: a=1", "Cookie: A=1")]
    // Some origins compare names without case, some take what has no value.
    [InlineData("Cookie: A=1", "")]
    [InlineData("Cookie: A=1", "Cookie: A=2")]
    [InlineData("Cookie: a", "")]
    [InlineData("Cookie: a=1; c=1", "Cookie: a=1\u00a0; c=1")]
    [InlineData("Cookie: c=1;\u00a0a=1", "Cookie: c=1")]
    [InlineData("sub: alice", "sub: bob")]
    [InlineData("sub: alice", "")]
    [InlineData("sub: alice", "role: alice")]
    [InlineData("role: a|role: b", "role: ab")]
    [InlineData("role: 1:a", "role: a")]
    public void Requests_that_differ_are_kept_apart(string one, string other) => Assert.NotEqual(Group(ByAll, one), Group(ByAll, other));

    [Theory]
    [InlineData("X-Other: a", "X-Other: b")]
    [InlineData("Accept: a, b", "Accept: a,b")]
    [InlineData("Cookie: a=1; c=2", "Cookie: c=3;a=1")]
    [InlineData("Cookie: xa=1", "Cookie: c=2")]
    [InlineData("role: a|role: b", "role: b|role: a")]
    [InlineData("name: alice", "name: bob")]
    public void What_the_policy_does_not_name_makes_no_difference(string one, string other) => Assert.Equal(Group(ByAll, one), Group(ByAll, other));

    [Fact]
    public void No_value_can_be_read_from_a_group()
    {
        var group = Group(ByAll, "X-Tenant: secret|Cookie: a=secret|sub: secret");
        Assert.Equal(44, group.Length);
        Assert.DoesNotContain("secret", group, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("", AuthorizationHandling.Share, "", false)]
    [InlineData("", AuthorizationHandling.Share, "sub: alice", true)]
    // Nobody has checked it, and everybody would get what it opens.
    [InlineData("", AuthorizationHandling.Share, "Authorization: Basic x", false)]
    [InlineData("Authorization", AuthorizationHandling.Share, "Authorization: Basic x", true)]
    [InlineData("Authorization", AuthorizationHandling.Share, "", false)]
    [InlineData("Authorization", AuthorizationHandling.Origin, "Authorization: Basic x", false)]
    [InlineData("Authorization", AuthorizationHandling.Origin, "sub: alice", false)]
    public void Credentials_are_shared_when_they_were_checked_or_are_part_of_the_key(
        string header, AuthorizationHandling handling, string request, bool expected)
    {
        var options = new HttpCachePolicyOptions { Authorization = handling };
        if (header.Length > 0)
            options.VaryByHeader.Add(header);
        Assert.Equal(expected, ExtraVary.Of(options)!.SharesCredentials(Request(request)));
    }

    [Fact]
    public void Those_with_shared_credentials_are_a_group_apart_from_those_without()
    {
        var options = new HttpCachePolicyOptions { Authorization = AuthorizationHandling.Share };
        Assert.NotEqual(Group(options, "sub: alice"), Group(options, ""));
        Assert.Equal(Group(options, "sub: alice"), Group(options, "sub: bob"));
    }

    [Fact]
    public void Without_options_nothing_is_kept_apart() => Assert.Null(ExtraVary.Of(new HttpCachePolicyOptions()));

    private static string Group(HttpCachePolicyOptions options, string request)
    {
        var (vary, context) = (ExtraVary.Of(options)!, Request(request));
        return vary.GroupOf(context, context.Request.Headers, vary.SharesCredentials(context));
    }

    // Names in lower case are claims, others fields.
    private static DefaultHttpContext Request(string text)
    {
        var context = new DefaultHttpContext();
        var claims = new List<Claim>();
        foreach (var line in text.Split('|', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = (line[..line.IndexOf(':', StringComparison.Ordinal)], line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());
            if (char.IsAsciiLetterLower(name[0]))
                claims.Add(new Claim(name, value));
            else
                context.Request.Headers.Append(name, value);
        }

        if (claims.Count > 0)
            context.User = new ClaimsPrincipal(new ClaimsIdentity(claims, "test"));
        return context;
    }
}
