using Gateway.ShortLinks.Transfer;

namespace Gateway.UnitTests.ShortLinks.Transfer;

public sealed class CsvTests
{
    [Theory]
    [InlineData("a,b\r\nc,d\r\n", "1:a|b 2:c|d")]
    [InlineData("a,b\nc,d", "1:a|b 2:c|d")]
    [InlineData("a,,\n", "1:a||")]
    [InlineData("\n\r\n\na\n", "4:a")]
    [InlineData("\"a,b\",\"c\"\"d\"\n", "1:a,b|c\"d")]
    [InlineData("\"a\nb\",c\nd,e\n", "1:a\nb|c 3:d|e")]
    [InlineData("\"\"\"\",b", "1:\"|b")]
    [InlineData("", "")]
    public async Task Records_are_read_as_RFC_4180_says(string text, string expected)
    {
        foreach (var reader in new TextReader[] { new StringReader(text), new OneCharacterReader(text) })
        {
            var records = new List<string>();
            await foreach (var record in Csv.ReadAsync(reader, default))
                records.Add($"{record.Line}:{string.Join('|', record.Fields!)}");

            Assert.Equal(expected, string.Join(' ', records));
        }
    }

    [Theory]
    [InlineData("\"never closed\na,b\n")]
    [InlineData("long")]
    public async Task A_record_without_end_is_the_last(string text)
    {
        text = text == "long" ? new string('a', ImportRecord.MaxLength + 2) + "\nb\n" : text;
        var records = new List<CsvRecord>();
        await foreach (var record in Csv.ReadAsync(new StringReader(text), default))
            records.Add(record);

        Assert.Null(Assert.Single(records).Fields);
    }

    [Fact]
    public async Task What_is_written_is_read_again()
    {
        string?[] fields = ["a", "", "b,c", "d\"e", "f\r\ng", " h ", null];
        await foreach (var record in Csv.ReadAsync(new StringReader(Csv.Write(fields)), default))
            Assert.Equal(fields.Select(field => field ?? ""), record.Fields!);
    }

    [Theory]
    [InlineData("slug,target,colour\n", "There is no column 'colour'")]
    [InlineData("slug,slug,target\n", "each column once")]
    [InlineData("slug\n", "a column 'target'")]
    [InlineData("slug,target\na\n", "2 fields")]
    [InlineData("slug,target\na,\"https://shop.example/\"x\n", "quote")]
    [InlineData("slug,target\na,\"https://shop.example/\" \n", "quote")]
    [InlineData("slug,target\na,https://\"shop.example/\n", "quote")]
    [InlineData("slug,target\na, \"https://shop.example/\"\n", "quote")]
    [InlineData("slug,target\na,https://sh\rop.example/\n", "CR")]
    [InlineData("slug,target\na,https://shop.example/\r", "CR")]
    [InlineData("slug,target\n\r\r\n", "CR")]
    [InlineData("slug,\"target\"x\na,https://shop.example/\n", "quote")]
    [InlineData("slug,target,status,expiresAt\na,https://shop.example/,many,tomorrow\n", "status, expiresAt")]
    public async Task What_cannot_be_understood_is_said(string text, string problem)
    {
        var records = new List<ImportRecord>();
        await foreach (var record in CsvLinks.ReadAsync(new StringReader(text), default))
            records.Add(record);

        Assert.Null(Assert.Single(records).Request);
        Assert.Contains(problem, records[0].Problem, StringComparison.Ordinal);
    }

    /// <summary>Text that comes in as slowly as can be.</summary>
    private sealed class OneCharacterReader(string text) : StringReader(text)
    {
        public override ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..1], cancellationToken);
    }
}
