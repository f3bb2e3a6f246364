using Turnpike.Ledger;
using Turnpike.Payments;

namespace Turnpike.Billing.Automatic;

/// <summary>Reads what a buyer agrees to from an order. Nothing is agreed to by silence: <c>automatic</c> has to say <c>yes</c>.</summary>
internal static class Agreement
{
    public const string Format = "with \"automatic\": \"yes\", \"below\": \"1.00 USD\", \"monthly\": \"50.00 USD\" to have it charged again whenever less than below is left, at most monthly in a calendar month";

    /// <summary>The terms; null when nothing is agreed to, and why not when that was meant.</summary>
    public static (MandateTerms? Terms, string? WhyNot) Read(BundleWare ware, Bundle bundle, BuyForm form)
    {
        var (below, monthly) = (form.Of("below")?.Trim() ?? "", form.Of("monthly")?.Trim() ?? "");
        if (form.Of("automatic") is not { Length: > 0 } yes) return (null, below.Length + monthly.Length == 0 ? null : "To have it topped up by itself, agree to it: automatic is yes.");
        if (yes != "yes") return (null, "automatic is yes, or left out.");
        if (ware.Automatic is not { } most || most.Currency != bundle.Price.Currency || most < bundle.Price) return (null, "Automatic top-up is not offered for this.");
        var currency = bundle.Price.Currency;
        if (!TryMoney(below, currency, out var left) || left.IsZero || left >= bundle.Budget) return (null, $"below: write an amount above zero and less than {bundle.Budget}, which one top-up adds.");
        if (!TryMoney(monthly, currency, out var cap) || cap < bundle.Price || cap > most) return (null, $"monthly: write an amount from {bundle.Price} to {most}.");
        return (new MandateTerms(bundle.Price, bundle.Budget, bundle.Calls, bundle.Valid, left, cap), null);
    }

    private static bool TryMoney(string text, string currency, out Money money) => (Money.TryParse(text, out money) || Money.TryParse(text, currency, out money)) && money.Currency == currency;
}
