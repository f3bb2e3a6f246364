using System.Text.Json;
using Turnpike.Access;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Gateway;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Pricing;
using Turnpike.Tokens;

namespace Turnpike.Billing;

/// <summary>
/// <c>POST /buy/{operation}/{bundle}</c>: a bundle paid in the call, as any operation is: 402, a proof, and the token is the answer.
/// The money is taken first, then the sale is said to be delivered, then the token is made, under an id of its receipt: whatever
/// breaks on the way, the same proof shows the same token again for thirty days, and never buys another.
/// </summary>
internal static class PayApi
{
    /// <summary>The beginning of the names of what is sold here; an operation's own name has no dot.</summary>
    public const string Selling = "buy.";

    public static async Task PayAsync(string operation, int bundle, HttpContext http, CatalogSource catalog, Cashier cashier, AccessRules access, PaymentReplies replies, TokenSale sale, TokenDesk desk, ILedger ledger, TimeProvider time)
    {
        var ct = http.RequestAborted;
        if (BundleWare.Find(catalog.Current, operation) is not { } ware || ware.Choose($"{bundle}") is not { } wanted || ware.PayUrl(wanted) is null)
        {
            await BuyAnswers.Problem(Reasons.NotFound, "There is no such bundle, or nobody takes its price here.").ExecuteAsync(http);
            return;
        }
        await using var call = http.ReadCall(catalog.Current, Sold(ware, wanted));
        await using var payment = cashier.Open(call);
        if (call.Rejected is not null) { await http.AnswerAsync(call, call.Rejected); return; }
        http.Request.EnableBuffering();
        var (topUp, whyNot) = await BuyApi.ToTopUpAsync(ware, wanted, (await BuyForm.ReadAsync(http.Request, ct)).Of("token"), desk, ct);
        call.Quote = new Quote(wanted.Price, "bundle", call.Catalog.Version, call.Now + PriceBook.Valid);
        var no = whyNot is null ? null : new Refusal(Reasons.MalformedRequest, whyNot);
        var answer = (topUp is null ? no : null)
                  ?? await access.CheckAsync(call, ct)
                  ?? await VerifyAsync(cashier, payment, ct);
        // What the token is by now counts for what would be taken now. Who has paid already is told what became of that.
        if (no is not null && answer is null or Refusal { Reason.Status: 402 }) answer = no;
        answer ??= await access.CheckAsync(payment, ct) ?? await cashier.HoldAsync(payment, ct);
        var state = answer is Refusal { Reason: var reason } && reason == Reasons.AlreadyDelivered ? await ledger.FindAsync(payment.HoldId!, ct) : payment.State;
        if (state is null || answer is not null && (state.Outcome != HoldOutcome.Delivered || time.GetUtcNow() - state.Created > TokenSale.ShownFor))
        {
            await http.AnswerAsync(call, answer!);
            return;
        }
        if (answer is null) await cashier.DeliverAsync(payment);
        var order = new Purchase(state.Hold.Receipt, operation, wanted.Price, wanted.Budget, wanted.Calls, wanted.Valid, topUp?.Id ?? TokenText.IdFor(state.Hold.Receipt), topUp is not null) { Created = state.Created, Owner = state.Hold.Payer.StartsWith("eip155:", StringComparison.Ordinal) ? state.Hold.Payer : null };
        await sale.DeliverAsync(order, $"revenue:{call.Operation.Name}", CancellationToken.None);
        await ShowAsync(http, ware, order, payment, replies, desk, ct);
    }

    /// <summary>
    /// Once settled, an authorization stands on a public chain, and whoever reads it there could present it here and be shown the
    /// token. So a proof has to carry the terms we gave, which nobody but the buyer has seen: x402 v1 has no place for them.
    /// </summary>
    private static async ValueTask<Answer?> VerifyAsync(Cashier cashier, Payment payment, CancellationToken ct)
    {
        var answer = await cashier.VerifyAsync(payment, ct);
        var believed = answer is null || answer is Refusal refusal && refusal.Reason == Reasons.AlreadyDelivered;
        return believed && payment.Credential!.Terms is null ? new Refusal(Reasons.InvalidChallenge, "A token is sold for a proof that carries the terms of its 402; this one has none.") : answer;
    }

    /// <summary>A sale is paid at once; tokens do not buy tokens.</summary>
    private static Operation Sold(BundleWare ware, Bundle bundle) => new()
    {
        Service = ware.Operation.Service,
        Name = Selling + ware.Operation.Name,
        Method = "POST",
        Path = PathPattern.Parse("/{**rest}", out _)!,
        Description = $"A token of {bundle.Budget} for {ware.Operation.Name}",
        Accept = [.. ware.Rails.Select(rail => rail.Method)],
        Settle = SettleMoment.Before,
        Settings = new SettingsBag([new PriceModel.Fixed(bundle.Price)]),
    };

    private static async ValueTask ShowAsync(HttpContext http, BundleWare ware, Purchase order, Payment payment, PaymentReplies replies, TokenDesk desk, CancellationToken ct)
    {
        var token = await desk.CurrentAsync(order.Token, ct) ?? throw new InvalidOperationException($"The token of {order.Id} is not there.");
        var (left, _) = await desk.LeftAsync(token, ct);
        var headers = http.Response.Headers;
        headers["Turnpike-Correlation"] = payment.Call.Correlation;
        headers["Turnpike-Receipt"] = PaymentReplies.ReceiptUrl(payment.Call, order.Id);
        if (payment.State is not null) replies.WriteReceipt(payment, new Reply(headers));
        Answers.AllowBrowsers(http);
        await BuyAnswers.Json(200, json => ware.Write(json, order, token, left, order.TopUp ? null : ware.Prepaid.Text.Of(token.Id))).ExecuteAsync(http);
    }
}
