using System.Text;
using Gateway.ShortLinks.Transfer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.ShortLinks.Transfer;

public sealed class ImportReportTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryStream _body = new();
    private readonly ImportReport _report;

    public ImportReportTests() => _report = new ImportReport(new DefaultHttpContext { Response = { Body = _body } }.Response, _time);

    public void Dispose() => _body.Dispose();

    [Fact]
    public async Task Progress_is_told_about_every_second_and_at_the_end()
    {
        for (var batch = 1; batch <= 25; batch++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await _report.AdvanceAsync(progress => progress with { Line = 200 * batch, Created = 200 * batch }, default);
        }

        await _report.EndAsync(problem: null, default);

        Assert.Equal(
            [
                """{"line":2000,"created":2000,"unchanged":0,"replaced":0,"rejected":0}""",
                """{"line":4000,"created":4000,"unchanged":0,"replaced":0,"rejected":0}""",
                """{"line":5000,"created":5000,"unchanged":0,"replaced":0,"rejected":0,"done":true}""",
            ],
            Lines());
    }

    [Fact]
    public async Task Rejected_lines_are_named_up_to_a_bound_and_all_are_counted()
    {
        var errors = new Dictionary<string, string[]> { ["slug"] = ["Another link has this slug."] };
        for (var line = 1; line <= ImportReport.MaxRejections + 5; line++)
            await _report.RejectAsync(line, errors, default);
        await _report.EndAsync("The rest is missing.", default);

        var lines = Lines();
        Assert.Equal(ImportReport.MaxRejections + 1, lines.Length);
        Assert.Equal("""{"line":1,"errors":{"slug":["Another link has this slug."]}}""", lines[0]);
        Assert.EndsWith("""rejected":105,"done":false,"problem":"The rest is missing."}""", lines[^1], StringComparison.Ordinal);
    }

    private string[] Lines() => Encoding.UTF8.GetString(_body.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
