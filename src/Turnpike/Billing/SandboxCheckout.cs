using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Pricing;
using Turnpike.Protocols.Http;
using Turnpike.Tokens;

namespace Turnpike.Billing;

/// <summary>
/// The checkout with test money, for people and agents: a form, or JSON. It exists only where <c>gateway.sandbox</c> is true;
/// elsewhere it is 404, because what it sells is given away.
/// </summary>
internal sealed class SandboxCheckout(CatalogSource catalog, TokenDesk desk)
{
    private const int MostCalls = 1000;
    private static readonly TimeSpan Valid = TimeSpan.FromDays(1);

    public IResult Show(string operation, HttpRequest request)
    {
        if (Find(operation) is not { } ware) return Missing();
        return Accept.PrefersHtml(request.Headers.Accept.ToString()) ? BuyAnswers.Page(SandboxPages.Form(ware, null), 200) : BuyAnswers.Json(200, ware.Write);
    }

    public async Task<IResult> SellAsync(string operation, HttpRequest request, CancellationToken ct)
    {
        if (Find(operation) is not { } ware) return Missing();
        var html = Accept.PrefersHtml(request.Headers.Accept.ToString());
        if (!ware.TryBudget((await BuyForm.ReadAsync(request, ct)).Of("budget"), out var budget))
            return html ? BuyAnswers.Page(SandboxPages.Form(ware, ware.Bounds), 400) : BuyAnswers.Problem(Reasons.MalformedRequest, ware.Bounds);
        var token = await desk.IssueAsync(new TokenOrder(budget) { Operations = [ware.Operation.Name], Valid = Valid, Note = "sandbox checkout" }, "external:sandbox", ct: ct);
        var text = ware.Prepaid.Text.Of(token.Id);
        return html ? BuyAnswers.Page(SandboxPages.Sold(ware, token, text), 201) : BuyAnswers.Json(201, json => ware.Write(json, token, text));
    }

    /// <summary>Test money buys only here, and only what has a price that tokens can pay.</summary>
    private SandboxWare? Find(string name)
    {
        var current = catalog.Current;
        if (!current.Gateway.Sandbox || current.Settings.Get<PaymentSettings>()?.Prepaid is not { } prepaid) return null;
        return current.Operations.GetValueOrDefault(name) is { } operation && operation.Settings.Get<PriceModel>() is PriceModel.Fixed { Amount.IsZero: false } price
            ? new SandboxWare(operation, price.Amount, new Money(checked(price.Amount.Units * MostCalls), price.Amount.Currency), prepaid, current.Gateway.Url)
            : null;
    }

    private static IResult Missing() => BuyAnswers.Problem(Reasons.NotFound, "Nothing is sold here for test money.");
}
