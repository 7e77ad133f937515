using System.Net;

namespace Gateway.IntegrationTests.Tokens;

public sealed class RevokeRequestTests(TokenFixture fixture) : IClassFixture<TokenFixture>
{
    [Theory]
    [InlineData("{}")]
    [InlineData("""{"token":"a.b.c","jti":"x"}""")]
    [InlineData("""{"token":"not a token"}""")]
    [InlineData("""{"token":"a.b.c","issuedBefore":"2026-01-01T00:00:00Z"}""")]
    [InlineData("""{"subject":""}""")]
    [InlineData("""{"subject":"alice","scheme":"nowhere"}""")]
    [InlineData("""{"issuedBefore":"2999-01-01T00:00:00Z"}""")]
    [InlineData("""{"issuedBefore":"yesterday"}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("nonsense")]
    public async Task A_request_that_revokes_nothing_is_answered_400(string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await fixture.A.Admin.PostAsync("/tokens/revoke", content);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Empty(fixture.A.Log.Exceptions);
    }
}
