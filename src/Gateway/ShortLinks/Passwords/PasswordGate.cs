using Gateway.Redis;
using Gateway.ShortLinks.Visits;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Gateway.ShortLinks.Passwords;

/// <summary>
/// Lets requests for a protected link through that post its password. (1) Everything else gets the form; (2) the body
/// is read, and is small; (3) whoever may not guess is refused before he waits; (4) when it is its turn, all nodes
/// together admit the guess, and it is compared; (5) what it came to is counted.
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
        var asked = await guesses.AskAsync(link.Slug, client, context.RequestAborted);
        if (!asked.TryGet(out var decision) || decision.Verdict != GuessVerdict.Admitted)
        {
            await RefuseAsync(context, asked, client);
            return false;
        }

        // 4.
        var (charged, isRight) = await CompareAsync(link, client, password, context.RequestAborted);
        if (isRight is null)
        {
            await RefuseAsync(context, charged, client);
            return false;
        }

        // 5.
        await guesses.SettleAsync(link.Slug, client, isRight.Value);
        if (!isRight.Value)
            await answers.PasswordAsync(context, "password_wrong", PasswordPage.RefuseAsync);
        return isRight.Value;
    }

    // Counted only when its turn has come: what waits, or is refused since too many do, is no guess yet.
    private async ValueTask<(RedisReply<GuessDecision> Charged, bool? IsRight)> CompareAsync(
        ShortLink link, ulong client, string password, CancellationToken cancellationToken)
    {
        using var slot = await hasher.TryEnterAsync(cancellationToken);
        if (slot is null)
            return default;
        var charged = await guesses.TryChargeAsync(link.Slug, client);
        return charged.TryGet(out var decision) && decision.Verdict == GuessVerdict.Admitted
            ? (charged, await slot.VerifyAsync(password, link.Definition.PasswordHash))
            : (charged, null);
    }

    private Task RefuseAsync(HttpContext context, RedisReply<GuessDecision> reply, ulong client)
    {
        if (!reply.TryGet(out var decision))
            return answers.UnavailableAsync(context);
        return decision.Verdict switch
        {
            GuessVerdict.NoLink => answers.RefuseAsync(context, VisitDecision.Unknown, null, client),
            GuessVerdict.Crowded => answers.PasswordAsync(context, "password_crowded", refused => PasswordPage.DeferAsync(refused, decision.RetryAfter)),
            _ => answers.PasswordAsync(context, "password_limited", refused => PasswordPage.RefuseAsync(refused, decision.RetryAfter)),
        };
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
