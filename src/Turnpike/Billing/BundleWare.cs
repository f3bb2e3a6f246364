using System.Globalization;
using System.Text.Json;
using Turnpike.Billing.Automatic;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Pricing;
using Turnpike.Tokens;

namespace Turnpike.Billing;

/// <summary>What is sold for an operation, and who takes the money.</summary>
/// <param name="Checkout">Who takes cards; null: nobody.</param>
/// <param name="Rails">Who takes a bundle's price in a call.</param>
internal sealed record BundleWare(Operation Operation, PrepaidSettings Prepaid, StripeCheckoutSettings? Checkout, IReadOnlyList<Payable> Rails, Uri Gateway, string CallPath)
{
    /// <summary>What every page says where test money may be sold; null where money is money.</summary>
    public string? Notice { get; init; }

    /// <summary>Paid at our own till, with test money.</summary>
    public bool IsSandbox => Notice is not null && Checkout is null;

    public IReadOnlyList<Bundle> Bundles => Prepaid.Bundles;

    /// <summary>The most a buyer may agree to be charged in a month without being asked; null where that is not offered.</summary>
    public Money? Automatic => Checkout is not null || IsSandbox ? Prepaid.Automatic?.Monthly : null;

    /// <summary>What one call costs, where that is always the same.</summary>
    public Money? PerCall => Operation.Settings.Get<PriceModel>() is PriceModel.Fixed { Amount: var amount } ? amount : null;

    public string Url => $"{Gateway.GetLeftPart(UriPartial.Authority)}/buy/{Operation.Name}";

    public string CallUrl => Gateway.GetLeftPart(UriPartial.Authority) + CallPath;

    /// <summary>Null where nothing is sold for money: no such operation, a free one, one that takes no tokens, or no checkout.</summary>
    public static BundleWare? Find(ServiceCatalog catalog, string name)
    {
        if (catalog.Settings.Get<PaymentSettings>() is not { Prepaid: { Bundles.Count: > 0 } prepaid }) return null;
        var rails = Payable.Of(catalog.Settings).Where(rail => !rail.TakesLess).ToList();
        if (prepaid.Checkout is null && !catalog.Gateway.Sandbox && !prepaid.Bundles.Any(bundle => rails.Any(rail => rail.CanServe(new PriceModel.Fixed(bundle.Price))))) return null;
        if (catalog.Operations.GetValueOrDefault(name) is not { } operation || operation.Settings.Get<PriceModel>() is null) return null;
        if (!Payable.Accepted(operation, Payable.Of(catalog.Settings)).Any(rail => rail.Method == "prepaid")) return null;
        var service = catalog.ServiceOf(operation);
        return new BundleWare(operation, prepaid, prepaid.Checkout, rails, catalog.Gateway.Url, service.Prefix + (service.Wrapped ? "/" : operation.Path.Text)) { Notice = catalog.Gateway.Sandbox ? SandboxPages.Notice : null };
    }

    /// <summary>The bundle of a number from 1 on, or of its price; null for anything else.</summary>
    public Bundle? Choose(string? text)
    {
        if (text is null) return Bundles.Count == 1 ? Bundles[0] : null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return number >= 1 && number <= Bundles.Count ? Bundles[number - 1] : null;
        return Money.TryParse(text, out var price) ? Bundles.FirstOrDefault(bundle => bundle.Price == price) : null;
    }

    /// <summary>Where a bundle is paid in one call, as any operation is; null where no rail takes its price.</summary>
    public string? PayUrl(Bundle bundle) => Rails.Any(rail => rail.CanServe(new PriceModel.Fixed(bundle.Price))) ? $"{Url}/{Bundles.ToList().IndexOf(bundle) + 1}" : null;

    /// <summary>What is sold, and how to buy it.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        WriteNotice(json);
        json.WriteString("operation", Operation.Name);
        if (Operation.Description is { } description) json.WriteString("description", description);
        if (PerCall is { } price) BuyAnswers.Write(json, "price", price);
        json.WriteStartArray("bundles");
        for (var i = 0; i < Bundles.Count; i++) Write(json, i + 1, Bundles[i], PayUrl(Bundles[i]));
        json.WriteEndArray();
        json.WriteStartObject("buy");
        json.WriteString("method", "POST");
        json.WriteString("url", Url);
        json.WriteString("format", "JSON {\"bundle\": 1}; with \"token\" to top one up" + (Automatic is null ? "" : "; " + Agreement.Format));
        json.WriteEndObject();
        if (Automatic is { } most)
        {
            json.WriteStartObject("automatic");
            BuyAnswers.Write(json, "most", most);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    /// <summary>An order that waits for its payment.</summary>
    public void Write(Utf8JsonWriter json, Purchase order, CheckoutSession? session)
    {
        json.WriteStartObject();
        WriteNotice(json);
        json.WriteString("purchase", order.Id);
        json.WriteString("status", order.Status == PurchaseStatus.Ended ? "ended" : "open");
        BuyAnswers.Write(json, "price", order.Price);
        if (session?.Url is { } url) json.WriteString("checkout", url);
        if ((session?.Id ?? order.Session) is { } id) json.WriteString("done", Done(id));
        json.WriteEndObject();
    }

    /// <summary>What was bought.</summary>
    /// <param name="text">The token; null when it is not shown, because it was topped up by somebody who has it.</param>
    /// <param name="automatic">What was agreed with it; null: nothing.</param>
    /// <param name="back">What of its price went back to the buyer; null: nothing.</param>
    public void Write(Utf8JsonWriter json, Purchase order, Token token, Money left, string? text, MandateView? automatic = null, Money? back = null)
    {
        json.WriteStartObject();
        WriteNotice(json);
        json.WriteString("purchase", order.Id);
        json.WriteString("status", "paid");
        if (text is not null) json.WriteString("token", text);
        json.WriteString("operation", Operation.Name);
        BuyAnswers.Write(json, "budget", token.Budget);
        BuyAnswers.Write(json, "available", left);
        if (back is { } refunded) BuyAnswers.Write(json, "refunded", refunded);
        if (token.Status != TokenStatus.Active) json.WriteString("tokenStatus", token.Status.ToString().ToLowerInvariant());
        if (token.Calls is { } calls) json.WriteNumber("calls", calls);
        if (token.Expires is { } expires) json.WriteString("expires", expires);
        if (text is not null)
        {
            json.WriteStartObject("send");
            json.WriteString("header", "Authorization");
            json.WriteString("format", "Bearer " + text);
            json.WriteString("url", CallUrl);
            json.WriteEndObject();
            if (order.Session is { } session) WriteRotate(json, session);
        }
        if (order.Session is { } shown) json.WriteString("done", Done(shown));
        if (automatic is not null)
        {
            json.WritePropertyName("automatic");
            automatic.Write(json, notice: null);
        }
        json.WriteEndObject();
    }

    private void WriteNotice(Utf8JsonWriter json)
    {
        if (Notice is null) return;
        json.WriteBoolean("sandbox", true);
        json.WriteString("notice", Notice);
    }

    private void WriteRotate(Utf8JsonWriter json, string session)
    {
        json.WriteStartObject("rotate");
        json.WriteString("method", "POST");
        json.WriteString("url", Url + "/rotate");
        json.WriteString("format", $"JSON {{\"session_id\": \"{session}\"}}");
        json.WriteEndObject();
    }

    public string Done(string session) => $"{Url}/done?session_id={Uri.EscapeDataString(session)}";

    private static void Write(Utf8JsonWriter json, int number, Bundle bundle, string? pay)
    {
        json.WriteStartObject();
        json.WriteNumber("bundle", number);
        BuyAnswers.Write(json, "price", bundle.Price);
        BuyAnswers.Write(json, "budget", bundle.Budget);
        if (bundle.Calls is { } calls) json.WriteNumber("calls", calls);
        if (bundle.Valid is { } valid) json.WriteNumber("validSeconds", (long)valid.TotalSeconds);
        if (pay is not null) json.WriteString("pay", pay);
        json.WriteEndObject();
    }
}
