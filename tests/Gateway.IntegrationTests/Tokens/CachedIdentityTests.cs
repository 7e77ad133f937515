using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>RFC 9111 §3.5: what one identity was answered is another's only where the origin says so.</summary>
public sealed class CachedIdentityTests(TokenFixture fixture) : IClassFixture<TokenFixture>
{
    [Theory]
    [InlineData("max-age=60", false)]
    [InlineData("private, max-age=60", false)]
    [InlineData("max-age=60, must-revalidate", true)]
    [InlineData("public, max-age=60", true)]
    [InlineData("s-maxage=60", true)]
    public async Task A_response_is_shared_between_identities_only_where_the_origin_permits_it(string cacheControl, bool isShared)
    {
        var path = $"/shared/{Guid.NewGuid():N}";
        fixture.Origin.Map(path, context =>
        {
            context.Response.Headers.CacheControl = cacheControl;
            return context.Response.WriteAsync(context.Request.Headers["X-Auth-Subject"].ToString());
        });

        var bodies = new List<string>();
        foreach (var subject in new[] { "alice", "bob", "alice" })
        {
            foreach (var node in new[] { fixture.A, fixture.B })
            {
                using var response = await node.GetAsync(path, fixture.Issuer.Issue(subject));
                bodies.Add(await response.Content.ReadAsStringAsync());
            }
        }

        Assert.Equal(isShared ? ["alice", "alice", "alice", "alice", "alice", "alice"] : ["alice", "alice", "bob", "bob", "alice", "alice"], bodies);
        Assert.Equal(401, await fixture.A.StatusAsync(token: null, path));
    }

    [Fact]
    public async Task Identities_that_ask_at_once_never_get_each_others_response()
    {
        var path = $"/crowd/{Guid.NewGuid():N}";
        fixture.Origin.Map(path, async context =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            context.Response.Headers.CacheControl = "private, max-age=60";
            await context.Response.WriteAsync(context.Request.Headers["X-Auth-Subject"].ToString());
        });

        await Task.WhenAll(Enumerable.Range(0, 30).Select(async i =>
        {
            using var response = await (i % 2 == 0 ? fixture.A : fixture.B).GetAsync(path, fixture.Issuer.Issue($"user-{i}"));
            Assert.Equal($"user-{i}", await response.Content.ReadAsStringAsync());
        }));
    }

    [Fact]
    public async Task A_shared_response_may_vary_by_what_the_gateway_says_of_the_caller()
    {
        var path = $"/vary/{Guid.NewGuid():N}";
        fixture.Origin.Map(path, context =>
        {
            context.Response.Headers.CacheControl = "public, max-age=60";
            context.Response.Headers.Vary = "X-Auth-Subject";
            return context.Response.WriteAsync(context.Request.Headers["X-Auth-Subject"].ToString());
        });

        foreach (var subject in new[] { "alice", "bob", "alice", "bob" })
        {
            // A client cannot choose another's variant either.
            using var response = await fixture.A.GetAsync(path, fixture.Issuer.Issue(subject), ("X-Auth-Subject", "alice"));
            Assert.Equal(subject, await response.Content.ReadAsStringAsync());
        }

        Assert.Equal(2, fixture.Origin.Count(path));
    }
}
