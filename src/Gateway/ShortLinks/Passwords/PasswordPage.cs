using System.Globalization;
using System.Text;

namespace Gateway.ShortLinks.Passwords;

/// <summary>
/// Asks for a link's password: a form without script, which posts to the URL it was asked for at. Nothing of the
/// request is on the page.
/// </summary>
internal static class PasswordPage
{
    public const string FieldName = "password";

    private static readonly byte[] Prompt = Render("This link asks for a password.");
    private static readonly byte[] Wrong = Render("That was not the password. Try again.");
    private static readonly byte[] TooMany = Render("Too many wrong passwords. Try again later.");
    private static readonly byte[] Crowded = Render("Other passwords are being tried. Try again in a moment.");

    public static Task PromptAsync(HttpContext context) => WriteAsync(context, StatusCodes.Status200OK, Prompt);

    public static Task RefuseAsync(HttpContext context) => WriteAsync(context, StatusCodes.Status403Forbidden, Wrong);

    public static Task RefuseAsync(HttpContext context, TimeSpan retryAfter) => LimitAsync(context, retryAfter, TooMany);

    public static Task DeferAsync(HttpContext context, TimeSpan retryAfter) => LimitAsync(context, retryAfter, Crowded);

    private static Task LimitAsync(HttpContext context, TimeSpan retryAfter, byte[] page)
    {
        context.Response.Headers.RetryAfter = Math.Ceiling(retryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return WriteAsync(context, StatusCodes.Status429TooManyRequests, page);
    }

    private static async Task WriteAsync(HttpContext context, int status, byte[] page)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = page.Length;
        response.Headers.CacheControl = "no-store";
        // No form-action: browsers apply it to the redirect that follows the form, too.
        response.Headers.ContentSecurityPolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["X-Robots-Tag"] = "noindex";
        if (!HttpMethods.IsHead(context.Request.Method))
            await response.Body.WriteAsync(page, context.RequestAborted);
    }

    private static byte[] Render(string message) => Encoding.UTF8.GetBytes($"""
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <meta name="color-scheme" content="light dark">
        <title>Password</title>
        <main>
        <p>{message}</p>
        <form method="post">
        <label>Password <input type="password" name="{FieldName}" maxlength="{PasswordHash.MaxPasswordLength}" required autofocus autocomplete="off"></label>
        <button>Continue</button>
        </form>
        </main>

        """);
}
