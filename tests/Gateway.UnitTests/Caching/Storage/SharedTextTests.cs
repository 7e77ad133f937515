using System.Globalization;
using System.Text;
using Gateway.Caching.Storage;

namespace Gateway.UnitTests.Caching.Storage;

public sealed class SharedTextTests
{
    [Fact]
    public void Equal_texts_become_one_instance()
    {
        // Twice, should another test's text take the place in between.
        Assert.True(AreOne() || AreOne());

        static bool AreOne() => ReferenceEquals(SharedText.Of(Fresh("application/json")), SharedText.Of(Fresh("application/json")));
    }

    [Fact]
    public void Whatever_is_known_a_text_stays_equal()
    {
        for (var i = 0; i < 20_000; i++)
        {
            var text = i.ToString(CultureInfo.InvariantCulture);
            Assert.Equal(text, SharedText.Of(Fresh(text)));
        }
    }

    private static string Fresh(string text) => new StringBuilder(text).ToString();
}
