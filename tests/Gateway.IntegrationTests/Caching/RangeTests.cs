using System.Net;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

/// <summary>RFC 9110 §14, RFC 9111 §3.3: ranges out of complete stored responses.</summary>
public sealed class RangeTests : OneNodeTests
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Origin.Map("/x", "0123456789", ("Cache-Control", "max-age=60"), ("ETag", "\"1\""), ("Content-Type", "text/plain"), ("X-Own", "1"));
    }

    [Theory]
    [InlineData("bytes=0-1", "01", "bytes 0-1/10")]
    [InlineData("bytes=8-", "89", "bytes 8-9/10")]
    [InlineData("bytes=-1", "9", "bytes 9-9/10")]
    [InlineData("bytes=5-500", "56789", "bytes 5-9/10")]
    public async Task One_range_is_the_part_with_the_fields_of_the_whole(string range, string body, string contentRange)
    {
        await Node.GetAsync("/x");

        var part = await Node.GetAsync("/x", ("Range", range));

        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(body, await part.TextAsync());
        Assert.Equal(contentRange, part.Content.Headers.ContentRange!.ToString());
        Assert.Equal(body.Length, part.Content.Headers.ContentLength);
        Assert.Equal("1", part.Headers.GetValues("X-Own").Single());
        Assert.StartsWith("Gateway; hit", part.CacheStatus(), StringComparison.Ordinal);
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Fact]
    public async Task Several_ranges_are_parts_of_one_message()
    {
        await Node.GetAsync("/x");

        var parts = await Node.GetAsync("/x", ("Range", "bytes=0-1, -2"));

        Assert.Equal(HttpStatusCode.PartialContent, parts.StatusCode);
        var type = parts.Content.Headers.ContentType!;
        Assert.Equal("multipart/byteranges", type.MediaType);
        var boundary = type.Parameters.Single(parameter => parameter.Name == "boundary").Value;
        var text = await parts.TextAsync();
        Assert.Equal(
            $"\r\n--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
            + $"\r\n--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--{boundary}--\r\n",
            text);
        Assert.Equal(text.Length, parts.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task A_range_beyond_the_end_is_refused_in_a_way_that_nobody_stores()
    {
        await Node.GetAsync("/x");

        var refused = await Node.GetAsync("/x", ("Range", "bytes=10-"));

        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, refused.StatusCode);
        Assert.Equal("bytes */10", refused.Content.Headers.ContentRange!.ToString());
        Assert.Equal("no-store", refused.Headers.CacheControl!.ToString());
        Assert.Null(refused.Headers.ETag);
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.MediaType);
        Assert.Contains("416", await refused.TextAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0", null)]
    [InlineData("bytes=0-,0-,0-", null)]
    [InlineData("lines=0-1", null)]
    [InlineData("bytes=2-1", null)]
    [InlineData("bytes=0-1", "\"2\"")]
    [InlineData("bytes=0-1", "W/\"1\"")]
    [InlineData("bytes=0-1", "Sun, 06 Nov 1994 08:49:37 GMT")]
    public async Task A_range_that_does_not_apply_gets_the_whole(string range, string? ifRange)
    {
        await Node.GetAsync("/x");

        var whole = await Node.GetAsync("/x", ifRange is null ? [("Range", range)] : [("Range", range), ("If-Range", ifRange)]);

        Assert.Equal(HttpStatusCode.OK, whole.StatusCode);
        Assert.Equal("0123456789", await whole.TextAsync());
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Fact]
    public async Task If_range_with_the_stored_tag_gets_the_part_and_if_none_match_goes_before()
    {
        await Node.GetAsync("/x");

        Assert.Equal("01", await (await Node.GetAsync("/x", ("Range", "bytes=0-1"), ("If-Range", "\"1\""))).TextAsync());
        Assert.Equal(HttpStatusCode.NotModified, (await Node.GetAsync("/x", ("Range", "bytes=0-1"), ("If-None-Match", "\"1\""))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Node.SendAsync(HttpMethod.Head, "/x", ("Range", "bytes=0-1"))).StatusCode);
    }

    [Fact]
    public async Task A_range_of_what_is_not_stored_goes_to_the_origin_as_it_is_and_is_not_stored()
    {
        Origin.Map("/part", context =>
        {
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers.ContentRange = "bytes 0-1/10";
            return context.Response.WriteAsync(context.Request.Headers.Range == "bytes=0-1" ? "01" : "??");
        });

        for (var i = 1; i <= 2; i++)
        {
            Assert.Equal("01", await (await Node.GetAsync("/part", ("Range", "bytes=0-1"))).TextAsync());
            Assert.Equal(i, Origin.Count("/part"));
        }
    }

    [Fact]
    public async Task A_stale_response_is_validated_whole_and_the_range_taken_from_it()
    {
        Origin.Map("/stale", context =>
        {
            Assert.Equal(0, context.Request.Headers.Range.Count);
            if (context.Request.Headers.IfNoneMatch == "\"1\"")
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return Task.CompletedTask;
            }

            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers.Age = "70";
            context.Response.Headers.ETag = "\"1\"";
            return context.Response.WriteAsync("0123456789");
        });
        await Node.GetAsync("/stale");

        var part = await Node.GetAsync("/stale", ("Range", "bytes=3-4"));

        Assert.Equal("34", await part.TextAsync());
        Assert.Equal("Gateway; fwd=stale; fwd-status=304; stored; detail=validated", part.CacheStatus());
    }
}
