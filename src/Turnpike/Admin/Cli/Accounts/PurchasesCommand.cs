using System.CommandLine;
using Turnpike.Admin.Accounts;

namespace Turnpike.Admin.Cli.Accounts;

/// <summary><c>turnpike tokens purchases|refund</c>: what was bought of a token, and its money back. The running gateway is asked.</summary>
internal static class PurchasesCommand
{
    public static Command List()
    {
        var id = Id();
        return GatewayAsk.Of("purchases", "What was bought of a token, and what of it went back.\nExample: turnpike tokens purchases 0ab…", [id], AdminJson.Readable.PurchaseList,
            (gateway, p, ct) => gateway.GetAsync($"tokens/{Uri.EscapeDataString(p.GetValue(id)!)}/purchases", AdminJson.Default.PurchaseList, ct),
            list => list.Purchases.Select(o => $"{o.Id}  {o.Created:u}  {(o.TopUp ? "top-up" : "bought")}  {o.Price.Amount} {o.Price.Currency}{(o.Sandbox ? " of test money" : "")}, {o.Refunded.Amount} given back"));
    }

    public static Command Refund()
    {
        var id = Id();
        var reason = new Option<string>("--reason") { Description = "Why, for the audit trail.", Required = true };
        var amount = new Option<string?>("--amount") { Description = "How much, \"0.50 USD\". What the token has left, and no more than is left of its price, unless said." };
        var purchase = new Option<string?>("--purchase") { Description = "Which of its purchases, buy_…: a top-up. The one that made it, unless said." };
        var key = new Option<string?>("--key") { Description = "Idempotency key: the same key is the same refund. A fresh one, unless said." };
        return GatewayAsk.Of("refund", "Give the money for a bought token back the way it came: by Stripe, or test money as test money.\nExample: turnpike tokens refund 0ab… --amount \"0.50 USD\" --reason \"half was wrong\"", [id, reason, amount, purchase, key], AdminJson.Readable.TokenRefundView,
            (gateway, p, ct) => gateway.PostAsync($"tokens/{Uri.EscapeDataString(p.GetValue(id)!)}/refund", new TokenRefundBody(p.GetValue(reason)!, p.GetValue(amount), p.GetValue(purchase)), AdminJson.Default.TokenRefundBody, AdminJson.Default.TokenRefundView, ct, p.GetValue(key) ?? Catalog.Ids.New("k")),
            view => [$"{view.Purchase}  given back{(view.Sandbox ? " as test money" : "")}; token {view.Token} is {view.Status}, {view.Left.Amount} {view.Left.Currency} left"]);
    }

    private static Argument<string> Id() => new("token") { Description = "Its id." };
}
