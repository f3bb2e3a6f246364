using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Gateway.Own;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Protocols.Http;
using Turnpike.Tokens;

namespace Turnpike.Billing.Owned;

/// <summary><c>POST /tokens/transfer</c>: whoever has both tokens moves money from the presented one to the other, when both are one owner's.</summary>
internal static class TransferApi
{
    public static void MapTransfer(this IEndpointRouteBuilder app) => app.MapPost("/tokens/transfer", async (HttpContext http, CatalogSource catalog, TokenHandover handover, TokenDesk desk, CancellationToken ct) =>
    {
        var own = await OwnPath.ReadAsync(http, "tokens/transfer", ct);
        if (own.Refused is { } refused) return refused;
        if (own.Token is not { } from) return OwnPath.Unknown(http).Refused!;
        var form = await BuyForm.ReadAsync(http.Request, ct);
        var keys = http.Request.Headers["Idempotency-Key"];
        if (keys.Count != 1 || StructuredFields.ParseStringOrToken(keys.ToString()) is not { Length: > 0 } key) return OwnPath.Problem(Reasons.MalformedRequest, "Idempotency-Key is one string of at most 255 printable characters: the same transfer sent again moves nothing more.");
        if (!Money.TryParse(form.Of("amount"), out var amount)) return OwnPath.Problem(Reasons.MalformedRequest, "amount: write how much, such as 1.00 USD.");
        var text = catalog.Current.Settings.Get<PaymentSettings>()!.Prepaid!.Text;
        if (text.Read(form.Of("to")?.Trim() ?? "").Id is not { } to) return OwnPath.Problem(Reasons.UnknownToken, "to: the text of the token that receives it, tp_….");
        if (await handover.MoveAsync(from, to, amount, key, ct) is var (reason, detail)) return OwnPath.Problem(reason, detail);
        var (left, _) = await desk.LeftAsync((await desk.FindAsync(from, ct))!, ct);
        var (there, _) = await desk.LeftAsync((await desk.FindAsync(to, ct))!, ct);
        return BuyAnswers.Json(200, json =>
        {
            json.WriteStartObject();
            BuyAnswers.Write(json, "moved", amount);
            BuyAnswers.Write(json, "left", left);
            BuyAnswers.Write(json, "there", there);
            json.WriteEndObject();
        });
    });
}
