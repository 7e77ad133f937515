using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Gateway.ShortLinks.Passwords;

/// <summary>
/// Lets requests for a protected link through that post its password. (1) Everything else gets the form; (2) the body
/// is read, and is small; (3) all nodes together admit the guess; (4) the slow comparison.
/// </summary>
internal sealed class PasswordGate(PasswordGuesses guesses, PasswordHasher hasher, ShortLinkAnswers answers)
{
    private const int MaxBody = 4096;

    /// <returns>Whether the request goes on; if not, it is answered.</returns>
    public async ValueTask<bool> AdmitAsync(HttpContext context, ShortLink link, ulong client)
    {
        // 1.
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            await answers.PasswordAsync(context, "password_asked", PasswordPage.PromptAsync);
            return false;
        }

        // 2.
        if (await ReadAsync(context) is not { } password)
            return false;

        // 3.
        var reply = await guesses.TryChargeAsync(link.Slug, client, context.RequestAborted);
        if (!reply.TryGet(out var guess))
        {
            await answers.UnavailableAsync(context);
            return false;
        }

        if (!guess.IsAdmitted)
        {
            await answers.PasswordAsync(context, "password_limited", refused => PasswordPage.RefuseAsync(refused, guess.RetryAfter));
            return false;
        }

        // 4.
        switch (await hasher.TryVerifyAsync(password, link.Definition.PasswordHash, context.RequestAborted))
        {
            case true:
                await guesses.RefundAsync(link.Slug, client, context.RequestAborted);
                return true;
            case false:
                await answers.PasswordAsync(context, "password_wrong", PasswordPage.RefuseAsync);
                return false;
            default:
                await answers.UnavailableAsync(context);
                return false;
        }
    }

    // Other character sets can be such that reading the form ends in an exception.
    private static bool IsForm(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
        && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    private static async ValueTask<string?> ReadAsync(HttpContext context)
    {
        var request = context.Request;
        if (!IsForm(request.ContentType))
        {
            await ShortLinkAnswers.ProblemAsync(context, StatusCodes.Status415UnsupportedMediaType, "Send the password as a form (application/x-www-form-urlencoded) in UTF-8.");
            return null;
        }

        // Larger bodies end as 413 while they are read.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = MaxBody;
        try
        {
            var form = await request.ReadFormAsync(new FormOptions { ValueCountLimit = 8, ValueLengthLimit = MaxBody }, context.RequestAborted);
            if (form[PasswordPage.FieldName] is [{ Length: >= 1 and <= PasswordHash.MaxPasswordLength } password])
                return password;
        }
        catch (InvalidDataException)
        {
            // Too many fields: no form of ours.
        }

        await ShortLinkAnswers.ProblemAsync(
            context, StatusCodes.Status400BadRequest, $"Send one field '{PasswordPage.FieldName}' of 1 to {PasswordHash.MaxPasswordLength} characters.");
        return null;
    }
}
