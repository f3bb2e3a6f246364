using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Gateway.Own;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Tokens;

namespace Turnpike.Billing.Owned;

/// <summary><c>POST /tokens/exchange</c>: a standing grant for a short-lived token, as OAuth 2.0 Token Exchange says it (RFC 8693).</summary>
internal static class ExchangeApi
{
    private const string GrantType = "urn:ietf:params:oauth:grant-type:token-exchange", TokenType = "urn:ietf:params:oauth:token-type:access_token";
    private const int MostTask = 128;

    public static void MapExchange(this IEndpointRouteBuilder app) => app.MapPost("/tokens/exchange", ExchangeAsync);

    private static async Task<IResult> ExchangeAsync(HttpContext http, CatalogSource source, TokenExchange exchange, TokenStore tokens, TimeProvider time, CancellationToken ct)
    {
        (http.Response.Headers.CacheControl, http.Response.Headers.Pragma) = ("no-store", "no-cache");
        var (catalog, form) = (source.Current, await BuyForm.ReadAsync(http.Request, ct));
        if (catalog.Settings.Get<PaymentSettings>()?.Prepaid?.Text is not { } text) return Error("invalid_request", "Prepaid tokens are not taken here.");
        if (form.Of("grant_type") != GrantType) return Error("unsupported_grant_type", $"grant_type is {GrantType}.");
        if (form.Of("subject_token_type") != TokenType || form.Of("requested_token_type") is { Length: > 0 } wanted && wanted != TokenType) return Error("invalid_request", $"subject_token_type, and requested_token_type where it is given, is {TokenType}.");
        if (form.Of("actor_token") is { Length: > 0 }) return Error("invalid_request", "actor_token is not taken.");
        if (text.Read(form.Of("subject_token")?.Trim() ?? "").Id is not { } id || await tokens.FindAsync(id, ct) is not { Series: not null } standing) return Error("invalid_request", "subject_token is no standing grant of ours.");
        if (Ended(standing, time.GetUtcNow()) is { } ended) return Error("invalid_request", ended.Title + ".", ended);
        // A grant that is stolen gives nothing to who cannot sign for it.
        if (standing.BoundTo.Count > 0 && (await OwnPath.ReadAsync(http, "tokens/exchange", ct)).Token != id) return Error("invalid_request", "It is bound to a key: present it in Authorization as well, beside a signature of this request.", Reasons.ProofRequired);
        var operations = (form.Of("scope") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct().ToArray();
        if (operations.FirstOrDefault(o => !catalog.Operations.ContainsKey(o) || standing.Operations.Count > 0 && !standing.Operations.Contains(o)) is { } foreign) return Error("invalid_scope", $"The grant does not open '{Catalog.Document.Reading.Shown(foreign)}'.");
        Money? most = null;
        if (form.Of("budget") is { Length: > 0 } budget)
        {
            if (!Money.TryParse(budget, out var amount) || amount.IsZero || amount.Currency != standing.Budget.Currency) return Error("invalid_request", $"budget: write an amount above zero, such as 0.50 {standing.Budget.Currency}.");
            most = amount;
        }
        if (form.Of("task") is { } task && (task.Length > MostTask || !task.All(c => c is > ' ' and <= '~'))) return Error("invalid_request", $"task: at most {MostTask} printable characters.");
        var (token, wait) = await exchange.ExchangeAsync(standing, operations, most, form.Of("task"), ct);
        if (token is null)
        {
            http.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return Error("temporarily_unavailable", "The grant is exchanged too often.", Reasons.TooManyCalls, 429);
        }
        return Given(token, text.Of(token.Id), time.GetUtcNow());
    }

    private static Reason? Ended(Token standing, DateTimeOffset now) => standing switch
    {
        { Status: TokenStatus.Revoked } => Reasons.TokenRevoked,
        { Status: TokenStatus.Frozen } => Reasons.TokenFrozen,
        _ when standing.Expires <= now => Reasons.TokenExpired,
        _ => null,
    };

    private static IResult Given(Token token, string text, DateTimeOffset now) => BuyAnswers.Json(200, json =>
    {
        json.WriteStartObject();
        json.WriteString("access_token", text);
        json.WriteString("issued_token_type", TokenType);
        json.WriteString("token_type", token.BoundTo.Count > 0 ? "DPoP" : "Bearer");
        json.WriteNumber("expires_in", (long)(token.Expires!.Value - now).TotalSeconds);
        if (token.Operations.Count > 0) json.WriteString("scope", string.Join(' ', token.Operations));
        BuyAnswers.Write(json, "budget", token.Budget);
        json.WriteEndObject();
    });

    /// <summary>As RFC 6749 §5.2 says it, with our own reason beside it.</summary>
    private static IResult Error(string error, string description, Reason? reason = null, int status = 400) => BuyAnswers.Json(status, json =>
    {
        json.WriteStartObject();
        json.WriteString("error", error);
        json.WriteString("error_description", description);
        json.WriteString("reason", (reason ?? Reasons.MalformedRequest).Code);
        json.WriteEndObject();
    });
}
