using Gateway.Sessions;

namespace Gateway.UnitTests.Sessions;

public sealed class SessionsOptionsValidatorTests
{
    [Fact]
    public void The_defaults_are_right() => Assert.True(new SessionsOptionsValidator().Validate(null, new SessionsOptions()).Succeeded);

    [Theory]
    [InlineData("00:00:00", 10, "Sessions:Store:AbsoluteTimeout")]
    [InlineData("-00:01:00", 10, "Sessions:Store:AbsoluteTimeout")]
    [InlineData("366.00:00:01", 10, "Sessions:Store:AbsoluteTimeout")]
    [InlineData("01:00:00", 0, "Sessions:Store:MaxPerSubject")]
    [InlineData("01:00:00", 101, "Sessions:Store:MaxPerSubject")]
    public void What_is_out_of_range_is_named_with_what_to_write(string timeout, int maxPerSubject, string path)
    {
        var options = new SessionsOptions();
        options.Store.AbsoluteTimeout = TimeSpan.Parse(timeout, System.Globalization.CultureInfo.InvariantCulture);
        options.Store.MaxPerSubject = maxPerSubject;

        var error = Assert.Single(new SessionsOptionsValidator().Validate(null, options).Failures!);

        Assert.StartsWith(path + ": ", error, StringComparison.Ordinal);
        Assert.Contains("Write ", error, StringComparison.Ordinal);
    }
}
