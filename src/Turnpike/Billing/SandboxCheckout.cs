using Turnpike.Billing.Automatic;
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
internal sealed class SandboxCheckout(CatalogSource catalog, TokenSale sale, TokenDesk desk, TopUps topUps, TopUpView views)
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
        var (html, form) = (Accept.PrefersHtml(request.Headers.Accept.ToString()), await BuyForm.ReadAsync(request, ct));
        if (!ware.TryBudget(form.Of("budget"), out var budget))
            return html ? BuyAnswers.Page(SandboxPages.Form(ware, ware.Bounds), 400) : BuyAnswers.Problem(Reasons.MalformedRequest, ware.Bounds);
        return await OrderAsync(ware.ToBundles(), new Bundle(budget, budget, null, Valid), BuyApi.Presented(request, form), null, null, html, ct);
    }

    /// <summary>A person is sent to our till; an agent, which asks for nothing to look at, has paid with its order.</summary>
    public async Task<IResult> OrderAsync(BundleWare ware, Bundle bundle, string? presented, MandateTerms? terms, string? owner, bool html, CancellationToken ct)
    {
        var (topUp, why) = await BuyApi.ToTopUpAsync(ware, bundle, presented, desk, ct);
        if (why is not null) return !html ? BuyAnswers.Problem(Reasons.MalformedRequest, why) : BuyAnswers.Page(ware.Bundles.Count > 0 ? BuyPages.Form(ware, why) : SandboxPages.Form(Find(ware.Operation.Name)!, why), 400);
        var order = await sale.BeginWithTestMoneyAsync(ware.Operation.Name, bundle, topUp, ct, owner);
        if (terms is not null) await topUps.AskAsync(order, terms, ct);
        if (html) return Results.Redirect($"{ware.Url}/till?session_id={Uri.EscapeDataString(order.Session!)}", permanent: false, preserveMethod: false);
        await sale.PayWithTestMoneyAsync(order, pays: true, ct);
        var token = await sale.ShowAsync(order, ct) ?? throw new InvalidOperationException($"The token of {order.Id} is not there.");
        var (left, _) = await desk.LeftAsync(token, ct);
        var automatic = await views.OfAsync(order with { Status = PurchaseStatus.Paid }, ct);
        return BuyAnswers.Json(201, json => ware.Write(json, order, token, left, order.TopUp ? null : ware.Prepaid.Text.Of(token.Id), automatic));
    }

    /// <summary>Test money buys only here, and only what has a price that tokens can pay.</summary>
    public SandboxWare? Find(string name)
    {
        var current = catalog.Current;
        if (!current.Gateway.Sandbox || current.Settings.Get<PaymentSettings>()?.Prepaid is not { } prepaid) return null;
        return current.Operations.GetValueOrDefault(name) is { } operation && operation.Settings.Get<PriceModel>() is PriceModel.Fixed { Amount.IsZero: false } price
            ? new SandboxWare(operation, price.Amount, new Money(checked(price.Amount.Units * MostCalls), price.Amount.Currency), prepaid, current.Gateway.Url, PathOf(current.ServiceOf(operation), operation))
            : null;
    }

    private static string PathOf(Service service, Operation operation) => service.Prefix + (service.Wrapped ? "/" : operation.Path.Text);

    private static IResult Missing() => BuyAnswers.Problem(Reasons.NotFound, "Nothing is sold here for test money.");
}
