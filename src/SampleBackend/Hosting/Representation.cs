using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Net.Http.Headers;

namespace SampleBackend.Hosting;

/// <summary>
/// An answer with validators: the strong ETag is a digest of the bytes (so every backend gives the same one), and
/// If-None-Match, If-Modified-Since, If-Match and HEAD are handled by the framework's result (RFC 9110 §13.2.2).
/// </summary>
internal static class Representation
{
    /// <summary>The methods that read.</summary>
    public static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    public static IResult Json<T>(T value, JsonTypeInfo<T> type, DateTimeOffset? lastModified = null) =>
        Bytes(JsonSerializer.SerializeToUtf8Bytes(value, type), "application/json; charset=utf-8", lastModified);

    public static IResult Bytes(byte[] content, string contentType, DateTimeOffset? lastModified = null) =>
        TypedResults.Bytes(
            content, contentType, enableRangeProcessing: true, lastModified: lastModified,
            entityTag: new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 12))}\""));
}
