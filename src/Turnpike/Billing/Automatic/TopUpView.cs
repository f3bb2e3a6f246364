using Turnpike.Payments;
using Turnpike.Tokens;

namespace Turnpike.Billing.Automatic;

/// <summary>Consents as their buyers and operators see and change them.</summary>
internal sealed class TopUpView(TopUps topUps, MandateStore mandates, TokenSale sale, TokenDesk desk)
{
    /// <summary>By its own id, where it is of this operation.</summary>
    public async ValueTask<Mandate?> FindAsync(string operation, string id, CancellationToken ct) =>
        id.Length is > 0 and <= 64 && await mandates.FindAsync(id, ct) is { } mandate && mandate.Operation == operation ? mandate : null;

    /// <summary>The token, and what was agreed for it; null when there is no such token.</summary>
    public async ValueTask<(Token Token, Mandate? Mandate)?> OfTokenAsync(string id, CancellationToken ct) =>
        await desk.FindAsync(id, ct) is { } token ? (token, await mandates.FindByAccountAsync(token.Account, ct)) : null;

    /// <summary>What was agreed with an order, and how it stands; null where nothing was.</summary>
    public async ValueTask<MandateView?> OfAsync(Purchase order, CancellationToken ct) => await topUps.OfAsync(order, ct) is { } mandate ? await OfAsync(mandate, 0, ct) : null;

    public async ValueTask<MandateView> OfAsync(Mandate mandate, int most, CancellationToken ct) =>
        new(mandate, await mandates.ChargedAsync(mandate, ct), most == 0 ? [] : await mandates.ChargesAsync(mandate.Id, most, ct), topUps.PageOf(mandate));

    public ValueTask<bool> EndAsync(Mandate mandate, CancellationToken ct) => topUps.EndAsync(mandate, "ended by its buyer", ct);

    public ValueTask<bool> ResumeAsync(Mandate mandate, CancellationToken ct) => topUps.ResumeAsync(mandate, ct);

    /// <summary>The same bundle once more, paid by its buyer in person, who agrees to the same anew; null when it cannot be ordered now.</summary>
    public async ValueTask<(Purchase Order, string Url)?> PayAsync(BundleWare ware, Mandate mandate, CancellationToken ct)
    {
        var terms = mandate.Terms;
        var bundle = new Bundle(terms.Price, terms.Budget, terms.Calls, terms.Valid);
        var token = await desk.CurrentAsync(mandate.Token, ct);
        if (token is null || BuyApi.WhyNot(token, ware, bundle) is not null) return null;
        if (ware.IsSandbox)
        {
            var tested = await sale.BeginWithTestMoneyAsync(mandate.Operation, bundle, token, ct);
            await topUps.AskAsync(tested, terms, ct);
            return (tested, $"{ware.Url}/till?session_id={Uri.EscapeDataString(tested.Session!)}");
        }
        if (ware.Checkout is null) return null;
        var (order, session) = await sale.BeginAsync(ware.Checkout, mandate.Operation, bundle, token, ware.Url, ct, terms.Told);
        if (session?.Url is not { } url) return null;
        await topUps.AskAsync(order, terms, ct);
        return (order with { Session = session.Id }, url);
    }
}
