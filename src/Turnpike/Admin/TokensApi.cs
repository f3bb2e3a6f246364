using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Protocols.Http;
using Turnpike.Tokens;

namespace Turnpike.Admin;

/// <summary>Why a token is revoked or frozen, for the audit trail.</summary>
internal sealed record ReasonBody(string? Reason = null);

/// <summary>Whose a token is; null: nobody's but its own.</summary>
internal sealed record OwnerBody(string? Owner);

/// <summary>How much to move to which token, by its id.</summary>
internal sealed record HandoverBody(string? To, string? Amount);

/// <summary><c>/admin/v1/tokens</c>: issue, look at, freeze and revoke prepaid tokens.</summary>
internal static class TokensApi
{
    public static void MapTokens(this IEndpointRouteBuilder api)
    {
        var tokens = api.MapGroup("/tokens").WithTags("tokens");
        tokens.MapPost("", IssueAsync).Produces<TokenView>(201).ProducesProblem(400).ProducesProblem(409).ProducesProblem(422)
            .WithName("issueToken").WithSummary("Issue a token").WithDescription("Funds a budget and gives the text to hand out. With an Idempotency-Key header the same order may be sent again: it answers with the same token; another order under the key is 422.");
        tokens.MapGet("", ListAsync).Produces<TokenList>().WithName("listTokens").WithSummary("List tokens, newest first, without their texts");
        tokens.MapGet("/{id}", FindAsync).Produces<TokenView>().ProducesProblem(404).WithName("getToken").WithSummary("A token, its text, and what is left of it");
        tokens.MapPost("/{id}/transfer", TransferAsync).Produces<TokenView>().ProducesProblem(400).ProducesProblem(403).ProducesProblem(422)
            .WithName("transferToken").WithSummary("Move money to another token of the same owner").WithDescription("With an Idempotency-Key, which moves it once. Never what was given away, never off a frozen, revoked or refunded token, never to one that lives longer.");
        Status(tokens, "revoke", TokenStatus.Revoked, "Revoke a token, for good, from the next call on");
        Status(tokens, "freeze", TokenStatus.Frozen, "Freeze a token, and what took its place, until it is unfrozen");
        Status(tokens, "unfreeze", TokenStatus.Active, "Let a frozen token buy again");
        tokens.MapPut("/{id}/owner", OwnAsync).Produces<TokenView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409)
            .WithName("setTokenOwner").WithSummary("Say whose a token is").WithDescription("Money may be moved between tokens of one owner. It holds for whatever takes the token's place; null leaves it to itself.");
        tokens.MapPost("/{id}/rotate", RotateAsync).Produces<TokenView>().ProducesProblem(404).ProducesProblem(409)
            .WithName("rotateToken").WithSummary("Put a new token in the place of one that may have got into wrong hands").WithDescription("It has the same rules and what is left; the old one buys nothing from then on. A token that is frozen or revoked is not replaced.");
    }

    private static async Task<Results<Ok<TokenView>, ProblemHttpResult>> RotateAsync(string id, ReasonBody? body, TokenDesk desk, CatalogSource catalog, TimeProvider time, CancellationToken ct)
    {
        if (await desk.FindAsync(id, ct) is not { } old) return AdminProblem.NotFound("token");
        return await desk.SucceedAsync(old, body?.Reason ?? "by an operator", ct) is { } next
            ? TypedResults.Ok(await TokenView.OfAsync(next, desk, Text(catalog)?.Of(next.Id), time.GetUtcNow(), ct))
            : AdminProblem.Of(409, "token-not-active", "The token may not be spent, so nothing takes its place", "Unfreeze it first; what is revoked stays so.");
    }

    private static async Task<Results<Created<TokenView>, ProblemHttpResult>> IssueAsync(TokenBody body, HttpRequest request, TokenOrders orders, TokenDesk desk, CatalogSource catalog, TimeProvider time, CancellationToken ct)
    {
        if (Text(catalog) is not { } text) return AdminProblem.Of(409, "no-prepaid", "Prepaid tokens are not configured", "Set payments.prepaid.");
        var (order, error) = TokenOrders.Read(body, catalog.Current);
        if (order is null) return AdminProblem.Malformed(error);
        var keys = request.Headers["Idempotency-Key"];
        var key = keys.Count == 1 ? StructuredFields.ParseStringOrToken(keys.ToString()) : null;
        if (keys.Count > 0 && string.IsNullOrEmpty(key)) return AdminProblem.Malformed("Idempotency-Key is one string of at most 255 printable characters.");
        if (await orders.IssueAsync(order, key, ct) is not { } token) return AdminProblem.Of(422, "idempotency-mismatch", "The key was used for another order", "Send the same order again, or take another Idempotency-Key.");
        return TypedResults.Created($"/admin/v1/tokens/{token.Id}", await TokenView.OfAsync(token, desk, text.Of(token.Id), time.GetUtcNow(), ct));
    }

    private static async Task<Ok<TokenList>> ListAsync(string? before, int? limit, TokenDesk desk, TimeProvider time, CancellationToken ct)
    {
        var most = Math.Clamp(limit ?? 50, 1, 500);
        var (views, found) = (new List<TokenView>(), await desk.ListAsync(before, most, ct));
        foreach (var token in found) views.Add(await TokenView.OfAsync(token, desk, null, time.GetUtcNow(), ct));
        return TypedResults.Ok(new TokenList(views, found.Count == most ? found[^1].Id : null));
    }

    private static async Task<Results<Ok<TokenView>, ProblemHttpResult>> FindAsync(string id, TokenDesk desk, CatalogSource catalog, TimeProvider time, CancellationToken ct) =>
        await desk.FindAsync(id, ct) is { } token
            ? TypedResults.Ok(await TokenView.OfAsync(token, desk, Text(catalog)?.Of(token.Id), time.GetUtcNow(), ct))
            : AdminProblem.NotFound("token");

    private static async Task<Results<Ok<TokenView>, ProblemHttpResult>> TransferAsync(string id, HandoverBody body, HttpRequest request, TokenHandover handover, TokenDesk desk, TimeProvider time, CancellationToken ct)
    {
        var keys = request.Headers["Idempotency-Key"];
        if (keys.Count != 1 || StructuredFields.ParseStringOrToken(keys.ToString()) is not { Length: > 0 } key) return AdminProblem.Malformed("Idempotency-Key is one string of at most 255 printable characters.");
        if (!Money.TryParse(body.Amount, out var amount)) return AdminProblem.Malformed("amount: write how much, such as 1.00 USD.");
        if (await handover.MoveAsync(id, body.To ?? "", amount, key, ct) is var (reason, detail)) return AdminProblem.Of(reason == Catalog.Reasons.UnknownToken ? 404 : reason.Status == 402 ? 409 : reason.Status, reason.Code, reason.Title, detail);
        return TypedResults.Ok(await TokenView.OfAsync((await desk.FindAsync(id, ct))!, desk, null, time.GetUtcNow(), ct));
    }

    private static async Task<Results<Ok<TokenView>, ProblemHttpResult>> OwnAsync(string id, OwnerBody body, TokenDesk desk, TimeProvider time, CancellationToken ct)
    {
        if (TokenOrders.WrongOwner(body.Owner) is { } wrong) return AdminProblem.Malformed(wrong);
        if (await desk.FindAsync(id, ct) is not { } token) return AdminProblem.NotFound("token");
        if (token.Parent is not null) return AdminProblem.Of(409, "token-of-series", "A token of a series belongs to its standing grant", "Say whose the standing grant is.");
        await desk.SetOwnerAsync(token, body.Owner, ct);
        return TypedResults.Ok(await TokenView.OfAsync((await desk.FindAsync(id, ct))!, desk, null, time.GetUtcNow(), ct));
    }

    private static void Status(RouteGroupBuilder tokens, string verb, TokenStatus status, string summary) =>
        tokens.MapPost($"/{{id}}/{verb}", async Task<Results<Ok<TokenView>, ProblemHttpResult>> (string id, ReasonBody? body, TokenDesk desk, TimeProvider time, CancellationToken ct) =>
        {
            if (await desk.FindAsync(id, ct) is not { } before) return AdminProblem.NotFound("token");
            if (before.Status != status && !await desk.SetStatusAsync(id, status, body?.Reason ?? "by an operator", ct)) return AdminProblem.Of(409, "token-revoked", "The token is revoked", "Revoking is final.");
            return TypedResults.Ok(await TokenView.OfAsync((await desk.FindAsync(id, ct))!, desk, null, time.GetUtcNow(), ct));
        }).Produces<TokenView>().ProducesProblem(404).ProducesProblem(409).WithName(verb + "Token").WithSummary(summary);

    private static TokenText? Text(CatalogSource catalog) => catalog.Current.Settings.Get<PaymentSettings>()?.Prepaid?.Text;
}
