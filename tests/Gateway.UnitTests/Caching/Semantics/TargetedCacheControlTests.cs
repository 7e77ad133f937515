using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9213.</summary>
public sealed class TargetedCacheControlTests
{
    [Theory]
    [InlineData("max-age=60", 60L)]
    [InlineData("max-age=2147483648", 2147483648L)]
    [InlineData("max-age=99999999999", 2147483648L)]
    [InlineData("max-age=60, foobar", 60L)]
    [InlineData("foobar;a=1;b, max-age=60;x=\"y\"", 60L)]
    [InlineData("foo=(a \"b\" 1);c, max-age=60", 60L)]
    [InlineData("foo=:YWJj:, bar=1.5, baz=?0, max-age=60", 60L)]
    [InlineData("foo⏎max-age=60", 60L)]
    // Of a repeated key the last counts: RFC 9651 §3.2.
    [InlineData("max-age=1, max-age=60", 60L)]
    [InlineData("max-age=\"x\", max-age=60", 60L)]
    [InlineData("no-store", null)]
    [InlineData("max-age=0060", 60L)]
    [InlineData("max-age=-0", 0L)]
    [InlineData("max-age=60,\tfoo", 60L)]
    [InlineData("max-age=60;no-store", 60L)]
    [InlineData("foo=();a, max-age=60", 60L)]
    [InlineData("*x=*y/z:1, max-age=60", 60L)]
    [InlineData("foo=-1.5;q=?1, max-age=60", 60L)]
    public void A_valid_field_is_read(string field, long? maxAge)
    {
        var control = TargetedCacheControl.Parse(Fields.Lines(field));
        Assert.NotNull(control);
        Assert.Equal(maxAge, control.Value.MaxAge);
    }

    [Theory]
    // Empty, or no Structured Field: §2.1, RFC 9651 §4.2.
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("max-age=60, &&&&&")]
    [InlineData("max-age=60,")]
    [InlineData(",max-age=60")]
    [InlineData("max-age =60")]
    [InlineData("max-age= 60")]
    [InlineData("max-age=60 no-store")]
    [InlineData("MaX-aGe=60")]
    [InlineData("max-age=")]
    [InlineData("max-age=1234567890123456")]
    [InlineData("max-age=60;")]
    [InlineData("x=\"unterminated, max-age=60")]
    [InlineData("x=\"bad\\escape\", max-age=60")]
    [InlineData("x=:not base64!:")]
    [InlineData("x=(1 2")]
    [InlineData("x=(1,2)")]
    [InlineData("x=?2")]
    [InlineData("x=1.")]
    [InlineData("é=1")]
    [InlineData("max-age=60; private ;x=1")]
    [InlineData("⏎max-age=60")]
    [InlineData("max-age=60⏎")]
    [InlineData("max-age=60;A")]
    [InlineData("max-age=6_0")]
    [InlineData("max-age=--1")]
    [InlineData("x=1234567890123.0")]
    [InlineData("x=1.2345")]
    [InlineData("x=(\"a\"\"b\")")]
    [InlineData("1x=1")]
    [InlineData("x=\"caf\u00e9\"")]
    // Types that came with RFC 9651, after this field.
    [InlineData("max-age=60, x=@1659578233")]
    [InlineData("max-age=60, x=%\"a\"")]
    // A value that the directive does not have: §2.1.
    [InlineData("max-age=\"60\"")]
    [InlineData("max-age=60.0")]
    [InlineData("max-age=-1")]
    [InlineData("max-age")]
    [InlineData("no-store=1")]
    [InlineData("private=token")]
    public void Anything_else_is_ignored_whole(string field) => Assert.Null(TargetedCacheControl.Parse(Fields.Lines(field)));

    [Fact]
    public void A_false_directive_does_not_apply_and_field_names_are_a_string()
    {
        var control = TargetedCacheControl.Parse("no-store=?0, private=\"a, b\", no-cache=?1")!.Value;
        Assert.False(control.NoStore);
        Assert.True(control.NoCache);
        Assert.False(control.Private);
        Assert.Equal(["a", "b"], control.UnstoredFields!);
    }

    [Theory]
    // §2.2: the targeted field replaces Cache-Control and Expires, if it is valid.
    [InlineData("max-age=60", "no-store", true, 60L)]
    [InlineData("no-cache", "max-age=60", true, null)]
    [InlineData("max-age=60, &", "max-age=5", false, 5L)]
    [InlineData(null, "max-age=5", false, 5L)]
    [InlineData("", "max-age=5", false, 5L)]
    public void The_field_that_governs_is_selected(string? targeted, string general, bool isTargeted, long? maxAge)
    {
        var control = TargetedCacheControl.Select(Fields.Lines(targeted), Fields.Lines(general), out var wasTargeted);
        Assert.Equal((isTargeted, maxAge), (wasTargeted, control.MaxAge));
    }

    [Theory]
    // RFC 9651 §3.2: a parser has to take 1,024 members.
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public void As_many_directives_as_a_dictionary_can_hold_are_read(int count, bool isRead) =>
        Assert.Equal(isRead, TargetedCacheControl.Parse(string.Join(',', Enumerable.Range(0, count).Select(i => $"x{i}"))) is not null);

    [Fact]
    public void No_text_makes_the_parser_throw()
    {
        const string Alphabet = "ab-*=;,\"\\?:().019 \té&";
        var random = new Random(9213);
        for (var i = 0; i < 20_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(24)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            TargetedCacheControl.Parse(text);
            CacheControl.Parse(text);
        }
    }
}
