using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9110 §5.6.7, RFC 9111 §4.2.</summary>
public sealed class HttpDateTests
{
    [Theory]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z")]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z")]
    [InlineData("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z")]
    [InlineData("Wed Nov 16 08:49:37 1994", "1994-11-16T08:49:37Z")]
    // Two digits: within 50 years of now (2026), else the past century.
    [InlineData("Thursday, 18-Aug-50 02:01:18 GMT", "2050-08-18T02:01:18Z")]
    [InlineData("Saturday, 01-Jan-77 00:00:00 GMT", "1977-01-01T00:00:00Z")]
    // Without regard to case.
    [InlineData("SUN, 06 NOV 1994 08:49:37 gmt", "1994-11-06T08:49:37Z")]
    // A day of the week that does not fit: later versions of the suite want such an Expires to be used.
    [InlineData("Mon, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z")]
    [InlineData("Monday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z")]
    [InlineData("Thu Aug  8 02:01:18 2050", "2050-08-08T02:01:18Z")]
    // Beyond 32 bits.
    [InlineData("Tue, 19 Jan 2038 14:14:08 GMT", "2038-01-19T14:14:08Z")]
    [InlineData("Sun, 21 Nov 2286 04:46:39 GMT", "2286-11-21T04:46:39Z")]
    public void A_date_is_read(string text, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected, null), HttpDate.Parse(text, Fields.Now));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("GMT")]
    [InlineData(" GMT")]
    [InlineData("-9 GMT")]
    [InlineData("1994-11-06T08:49:37Z")]
    [InlineData("Sun 06 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun, 06  Nov  1994 08:49:37 GMT")]
    [InlineData("Sun, 06-Nov-1994 08:49:37 GMT")]
    [InlineData("Sun, 6 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun, 06 Nov 94 08:49:37 GMT")]
    [InlineData("Sun, 06 Nov 1994 8:49:37 GMT")]
    [InlineData("Sun, 06 Nov 1994 08.49.37 GMT")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 AEST")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 UTC")]
    [InlineData("Sunday, 06-Nov-94 08:49:37 UTC")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 +0000")]
    [InlineData("Sun, 06 Nov 1994 08:49:37")]
    [InlineData("Son, 06 Nov 1994 08:49:37 GMT")]
    [InlineData("Sunday, 06 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun, 06-Nov-94 08:49:37 GMT")]
    [InlineData("Sun,06 Nov 1994 08:49:37 GMT")]
    [InlineData("06 Nov 1994 08:49:37 GMT")]
    [InlineData("Nov  6 08:49:37 1994")]
    [InlineData("Sun Nov   6 08:49:37 1994")]
    [InlineData("Sun, 31 Nov 1994 08:49:37 GMT")]
    [InlineData("Sun, 32 Nov 1994 08:49:37 GMT")]
    public void Anything_else_is_no_date(string? text) => Assert.Null(HttpDate.Parse(text, Fields.Now));

    [Fact]
    public void What_is_written_is_read() => Assert.Equal(Fields.Now, HttpDate.Parse(HttpDate.Format(Fields.Now), Fields.Now));
}
