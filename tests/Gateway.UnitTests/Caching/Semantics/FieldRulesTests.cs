using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9111 §3.1, §3.2; RFC 9110 §7.6.1.</summary>
public sealed class FieldRulesTests
{
    [Theory]
    [InlineData("Content-Type", true, true, false)]
    [InlineData("X-Anything", true, true, true)]
    [InlineData("Set-Cookie", true, true, false)]
    [InlineData("Content-Location", true, true, true)]
    [InlineData("cache-control", true, true, false)]
    [InlineData("Content-Encoding", true, false, false)]
    [InlineData("Content-Range", true, false, false)]
    [InlineData("ETag", true, false, false)]
    [InlineData("content-length", false, false, false)]
    [InlineData("Connection", false, false, false)]
    [InlineData("transfer-encoding", false, false, false)]
    [InlineData("Upgrade", false, false, false)]
    [InlineData("Host", true, true, false)]
    [InlineData("Cookie", true, true, true)]
    [InlineData("Proxy-Authenticate", false, false, true)]
    [InlineData("Age", false, false, false)]
    [InlineData("Cache-Status", true, true, true)]
    public void A_field_is_stored_updated_and_nominated(string name, bool isStored, bool isUpdated, bool canBeNominated) =>
        Assert.Equal((isStored, isUpdated, canBeNominated), (FieldRules.IsStored(name), FieldRules.IsUpdatedByNotModified(name), FieldRules.CanBeNominated(name)));

    // RFC 9110 §5.5: obs-text and tabs are valid.
    [Theory]
    [InlineData("a b\tc, \u00e9", true)]
    [InlineData("", true)]
    [InlineData("a\u0001", false)]
    [InlineData("\u007f", false)]
    [InlineData("a\u001fb", false)]
    public void A_value_has_no_control_characters(string value, bool expected) => Assert.Equal(expected, FieldRules.IsValue(value));
}
