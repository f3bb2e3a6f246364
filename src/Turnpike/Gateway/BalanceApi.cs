using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Payments;
using Turnpike.Tokens;

namespace Turnpike.Gateway;

/// <summary><c>GET /balance</c>: what the presented token still buys. The token is its own permission to look.</summary>
internal static class BalanceApi
{
    public static void MapBalance(this IEndpointRouteBuilder app) => app.MapGet("/balance", async (HttpContext http, CatalogSource catalog, TokenDesk desk, TimeProvider time, CancellationToken ct) =>
    {
        http.Response.Headers.CacheControl = "private, no-store";
        Answers.AllowBrowsers(http);
        if (http.Target().Error is not null) return Problem(Reasons.AmbiguousTarget, "The target is refused.");
        var presented = http.Request.Headers.Authorization.ToString();
        if (!presented.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) || catalog.Current.Settings.Get<PaymentSettings>()?.Prepaid is not { } prepaid) return Unknown(http);
        if (prepaid.Text.Read(presented[7..].Trim()).Id is not { } id || await desk.FindAsync(id, ct) is not { } token) return Unknown(http);
        var (money, calls) = await desk.LeftAsync(token, ct);
        return Results.Json(new Balance(token.Id, token.Expires <= time.GetUtcNow() ? "expired" : token.Status.ToString().ToLowerInvariant(), new Sum(money.ToDecimal(), money.Currency), new Sum(token.Budget.ToDecimal(), token.Budget.Currency), calls, token.Expires), BalanceJson.Default.Balance);
    });

    private static IResult Unknown(HttpContext http)
    {
        http.Response.Headers.WWWAuthenticate = "Bearer realm=\"turnpike\"";
        return Problem(Reasons.UnknownKey, "Present a token as 'Authorization: Bearer tp_…'.");
    }

    private static IResult Problem(Reason reason, string detail) =>
        Results.Problem(detail, statusCode: reason.Status, title: reason.Title, type: reason.Type, extensions: new Dictionary<string, object?> { ["reason"] = reason.Code, ["hint"] = reason.Hint });

    internal sealed record Sum(string Amount, string Currency);

    /// <summary>A token's state. <c>calls</c> is null where calls are not counted.</summary>
    internal sealed record Balance(string Token, string Status, Sum Available, Sum Budget, long? Calls, DateTimeOffset? Expires);
}

/// <summary>The JSON of balances.</summary>
[System.Text.Json.Serialization.JsonSourceGenerationOptions(PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.CamelCase)]
[System.Text.Json.Serialization.JsonSerializable(typeof(BalanceApi.Balance))]
internal sealed partial class BalanceJson : System.Text.Json.Serialization.JsonSerializerContext;
