using Gateway.Caching;
using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9111 §3.</summary>
public sealed class StorageRulesTests
{
    [Theory]
    [InlineData(200, "max-age=60", nameof(CacheReason.None))]
    [InlineData(299, "max-age=60", nameof(CacheReason.None))]
    [InlineData(499, "max-age=60", nameof(CacheReason.None))]
    [InlineData(599, "s-maxage=60", nameof(CacheReason.None))]
    [InlineData(103, "max-age=60", nameof(CacheReason.Status))]
    [InlineData(206, "max-age=60", nameof(CacheReason.Status))]
    [InlineData(999, "max-age=60", nameof(CacheReason.Status))]
    [InlineData(304, "max-age=60", nameof(CacheReason.Status))]
    [InlineData(200, "no-store, max-age=60", nameof(CacheReason.ResponseNoStore))]
    [InlineData(200, "private, max-age=60", nameof(CacheReason.ResponsePrivate))]
    // §5.2.2.7: the directive concerns the named fields alone.
    [InlineData(200, "private=\"a\", max-age=60", nameof(CacheReason.None))]
    // §5.2.2.3: must-understand lifts no-store on a status that is understood, and forbids the others.
    [InlineData(200, "no-store, must-understand, max-age=60", nameof(CacheReason.None))]
    [InlineData(599, "must-understand, max-age=60", nameof(CacheReason.StatusNotUnderstood))]
    [InlineData(599, "must-understand, no-store, max-age=60", nameof(CacheReason.StatusNotUnderstood))]
    [InlineData(200, "", nameof(CacheReason.NoFreshness))]
    [InlineData(200, "max-age=0", nameof(CacheReason.NoFreshness))]
    [InlineData(200, "no-cache, max-age=60", nameof(CacheReason.NoFreshness))]
    // RFC 5861: of use although never fresh.
    [InlineData(200, "max-age=0, stale-while-revalidate=60", nameof(CacheReason.None))]
    [InlineData(200, "max-age=0, stale-if-error=60", nameof(CacheReason.None))]
    public void A_response_to_a_plain_get_is_stored_or_refused_by_name(int status, string cacheControl, string expected) =>
        Assert.Equal(expected, Decide(Fields.Request(), Fields.Response(status, cacheControl)));

    [Theory]
    // RFC 6585 §3 to §6 forbids it.
    [InlineData(428)]
    [InlineData(429)]
    [InlineData(431)]
    [InlineData(511)]
    // They answer a field, a body or a connection of one request, and would deny the target to all.
    [InlineData(408)]
    [InlineData(411)]
    [InlineData(412)]
    [InlineData(413)]
    [InlineData(415)]
    [InlineData(416)]
    [InlineData(417)]
    [InlineData(421)]
    [InlineData(425)]
    [InlineData(426)]
    public void An_answer_about_one_request_is_not_stored_whatever_it_says(int status) =>
        Assert.Equal(nameof(CacheReason.RequestStatus), Decide(Fields.Request(), Fields.Response(status, "public, max-age=60")));

    // RFC 9110 §5.5.
    [Theory]
    [InlineData(400, true, nameof(CacheReason.RequestStatus))]
    [InlineData(500, true, nameof(CacheReason.RequestStatus))]
    [InlineData(200, true, nameof(CacheReason.None))]
    [InlineData(400, false, nameof(CacheReason.None))]
    public void An_error_after_an_unusual_request_is_not_stored(int status, bool isUnusual, string expected) =>
        Assert.Equal(expected, Decide(Fields.Request() with { IsUnusual = isUnusual }, Fields.Response(status, "max-age=60")));

    // RFC 9110 §15.5.7, §12.5.5.
    [Theory]
    [InlineData("", nameof(CacheReason.RequestStatus))]
    [InlineData("Accept-Encoding", nameof(CacheReason.RequestStatus))]
    [InlineData("Accept", nameof(CacheReason.None))]
    [InlineData("Accept-Encoding, Accept-Language", nameof(CacheReason.None))]
    public void What_is_not_acceptable_is_stored_where_the_origin_says_for_whom(string vary, string expected) =>
        Assert.Equal(expected, Decide(Fields.Request(), Fields.Response(406, "max-age=60") with { Vary = VaryRule.Parse(vary) }));

    [Theory]
    [InlineData(200, "", nameof(CacheReason.None))]
    [InlineData(200, "no-cache", nameof(CacheReason.None))]
    [InlineData(200, "max-age=0", nameof(CacheReason.None))]
    [InlineData(404, "", nameof(CacheReason.None))]
    [InlineData(302, "", nameof(CacheReason.NoFreshness))]
    [InlineData(302, "public", nameof(CacheReason.None))]
    public void With_a_validator_it_is_worth_keeping_without_a_lifetime(int status, string cacheControl, string expected) =>
        Assert.Equal(expected, Decide(Fields.Request(), Fields.Response(status, cacheControl) with { ETag = "\"1\"" }));

    [Theory]
    // §3.5.
    [InlineData("max-age=60", nameof(CacheReason.Authorization))]
    [InlineData("max-age=60, public", nameof(CacheReason.None))]
    [InlineData("max-age=60, must-revalidate", nameof(CacheReason.None))]
    [InlineData("s-maxage=60", nameof(CacheReason.None))]
    [InlineData("max-age=60, proxy-revalidate", nameof(CacheReason.Authorization))]
    public void A_request_with_credentials_needs_the_origin_s_permission(string cacheControl, string expected) =>
        Assert.Equal(expected, Decide(Fields.Request(isAuthorized: true), Fields.Response(cacheControl: cacheControl)));

    [Theory]
    [InlineData(AuthorizationHandling.Origin, nameof(CacheReason.None))]
    [InlineData(AuthorizationHandling.Bypass, nameof(CacheReason.Authorization))]
    // A request that the policy shares is none with credentials to these rules: another that is not shared stays one.
    [InlineData(AuthorizationHandling.Share, nameof(CacheReason.None))]
    public void A_policy_can_refuse_what_the_origin_permits(AuthorizationHandling handling, string expected) =>
        Assert.Equal(expected, Decide(Fields.Request(isAuthorized: true), Fields.Response(cacheControl: "public, max-age=60"), authorization: handling));

    [Theory]
    [InlineData(60L, null, 200, "", nameof(CacheReason.None))]
    [InlineData(60L, null, 200, "max-age=0", nameof(CacheReason.None))]
    [InlineData(0L, null, 200, "max-age=60", nameof(CacheReason.NoFreshness))]
    [InlineData(null, 60L, 200, "", nameof(CacheReason.None))]
    [InlineData(null, 60L, 200, "max-age=0", nameof(CacheReason.NoFreshness))]
    // A lifetime is all that a policy gives: what forbids storing forbids it still.
    [InlineData(60L, null, 200, "no-store", nameof(CacheReason.ResponseNoStore))]
    [InlineData(60L, null, 200, "private", nameof(CacheReason.ResponsePrivate))]
    [InlineData(60L, null, 200, "no-cache", nameof(CacheReason.NoFreshness))]
    // RFC 9110 §15.1: these are not cached untold.
    [InlineData(60L, null, 500, "", nameof(CacheReason.NoFreshness))]
    [InlineData(60L, null, 302, "", nameof(CacheReason.NoFreshness))]
    [InlineData(null, 60L, 403, "", nameof(CacheReason.NoFreshness))]
    public void A_policy_s_lifetime_makes_a_response_worth_storing(long? ttl, long? defaultTtl, int status, string cacheControl, string expected) =>
        Assert.Equal(expected, Decide(Fields.Request(), Fields.Response(status, cacheControl), lifetime: new PolicyLifetime(ttl, defaultTtl)));

    [Fact]
    public void A_request_s_no_store_forbids_it() =>
        Assert.Equal(nameof(CacheReason.RequestNoStore), Decide(Fields.Request("no-store"), Fields.Response(cacheControl: "max-age=60")));

    [Theory]
    [InlineData(SetCookieHandling.Bypass, nameof(CacheReason.SetCookie))]
    [InlineData(SetCookieHandling.Strip, nameof(CacheReason.None))]
    [InlineData(SetCookieHandling.Store, nameof(CacheReason.None))]
    public void Cookies_are_the_policy_s_matter(SetCookieHandling handling, string expected) =>
        Assert.Equal(expected, Decide(Fields.Request(), Fields.Response(cacheControl: "max-age=60") with { SetsCookie = true }, handling));

    [Fact]
    public void What_varies_by_everything_or_never_ends_is_not_stored()
    {
        var response = Fields.Response(cacheControl: "max-age=60");
        Assert.Equal(nameof(CacheReason.VaryAny), Decide(Fields.Request(), response with { Vary = VaryRule.Any }));
        Assert.Equal(nameof(CacheReason.EventStream), Decide(Fields.Request(), response with { IsEventStream = true }));
    }

    [Theory]
    // RFC 9110 §9.3.3.
    [InlineData("max-age=60", true, true)]
    [InlineData("max-age=60", false, false)]
    [InlineData("public", true, false)]
    public void A_post_is_stored_for_get_when_it_says_so(string cacheControl, bool isOfTarget, bool expected) =>
        Assert.Equal(expected, StorageRules.IsReusableForGet(Fields.Response(cacheControl: cacheControl), isOfTarget));

    private static string Decide(
        RequestFacts request, ResponseFacts response, SetCookieHandling setCookie = SetCookieHandling.Bypass,
        AuthorizationHandling authorization = AuthorizationHandling.Origin, PolicyLifetime lifetime = default) =>
        StorageRules.Decide(request, response, new StoragePolicy(setCookie, authorization, lifetime)).ToString();
}
