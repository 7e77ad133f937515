using System.Text;
using Gateway.Redis;

namespace Gateway.UnitTests.Redis;

public sealed class CommandFramingTests
{
    private const string Get = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";

    [Theory]
    [InlineData(Get)]
    [InlineData(Get + Get)]
    [InlineData("*1\r\n$4\r\nPING\r\n")]
    [InlineData("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n")]
    // A value that looks like a command's beginning, and one that looks like its end.
    [InlineData("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\n*3\r\n\r\n")]
    [InlineData("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$12\r\n$3\r\nabc\r\n*1\r\r\n")]
    public void A_command_has_ended_with_its_last_byte_and_not_before_however_it_is_cut(string commands)
    {
        var bytes = Encoding.ASCII.GetBytes(commands);
        var ends = new HashSet<int>();
        for (var end = commands.IndexOf(Get, StringComparison.Ordinal); end >= 0; end = commands.IndexOf(Get, end + 1, StringComparison.Ordinal))
            ends.UnionWith([end, end + Get.Length]);
        ends.UnionWith([0, bytes.Length]);

        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var framing = default(CommandFraming);
            Assert.Equal(ends.Contains(cut), framing.Add(bytes.AsSpan(0, cut)));
            Assert.True(framing.Add(bytes.AsSpan(cut)));
        }
    }

    [Fact]
    public void A_command_may_come_byte_by_byte()
    {
        var framing = default(CommandFraming);
        var whole = Encoding.ASCII.GetBytes(Get).Select(next => framing.Add([next])).ToArray();

        Assert.Equal(whole.Length - 1, Array.IndexOf(whole, true));
    }
}
