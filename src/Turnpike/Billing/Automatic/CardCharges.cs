using System.Globalization;
using Turnpike.Billing.Invoices;
using Turnpike.Payments;
using Turnpike.Payments.Stripe;

namespace Turnpike.Billing.Automatic;

/// <summary>What became of a charge: taken; known never to be; or nobody knows yet.</summary>
internal abstract record Charged
{
    internal sealed record Taken(string Intent) : Charged;

    /// <param name="Why">The bank's or Stripe's word; <c>authentication_required</c> when the buyer has to come.</param>
    internal sealed record Refused(string Why) : Charged;

    /// <summary>Never charged, and nothing is wrong with the card.</summary>
    internal sealed record Never : Charged;

    internal sealed record Unknown(string Why) : Charged;
}

/// <summary>
/// Charges a saved card while its owner is away (docs.stripe.com/payments/save-during-payment, off-session). One idempotency key for each order, so that
/// however many nodes and restarts ask, the card is charged once; an answer that is neither yes nor no is looked for by its name.
/// </summary>
internal sealed class CardCharges(StripeCalls stripe)
{
    /// <summary>The name of the buyer's absence: the bank wants to ask.</summary>
    public const string Authentication = "authentication_required";

    /// <summary>Who paid a session, and with what; null when Stripe does not say, and no card when it was not kept.</summary>
    public async ValueTask<(string? Customer, string? Card)?> SavedAsync(StripeCheckoutSettings settings, string session, CancellationToken ct)
    {
        var said = await stripe.GetAsync(StripeAccess.Of(settings), $"v1/checkout/sessions/{Uri.EscapeDataString(session)}?expand[0]=payment_intent", ct);
        return said.IsGood ? (said["customer"], said.Inner("payment_intent")?["payment_method"]) : null;
    }

    /// <param name="again">It may have been sent before, so it is looked for first.</param>
    /// <param name="send">Whether it may be sent; else it is only looked for.</param>
    public async ValueTask<Charged> ChargeAsync(StripeCheckoutSettings settings, Mandate mandate, bool again, bool send, CancellationToken ct)
    {
        var (access, order) = (StripeAccess.Of(settings), mandate.Pending!);
        if (again)
        {
            var found = await stripe.GetAsync(access, "v1/payment_intents/search?limit=1&query=" + Uri.EscapeDataString($"metadata['turnpike_purchase']:'{order}'"), ct);
            if (!found.IsGood) return new Charged.Unknown(found.Why);
            if (found.Data.FirstOrDefault() is { } intent) return await JudgeAsync(access, mandate, intent, intent.Inner("last_payment_error"), ct);
            if (!send) return new Charged.Never();
        }
        var said = await stripe.PostAsync(access, "v1/payment_intents", "turnpike-" + order, Form(settings, mandate), ct);
        if (said.IsGood) return await JudgeAsync(access, mandate, said, said.Inner("last_payment_error"), ct);
        var error = said.Inner("error");
        return said.Status switch
        {
            402 when error?.Inner("payment_intent") is { } intent => await JudgeAsync(access, mandate, intent, error, ct),
            402 => new Charged.Refused(WhyOf(error)),
            // Another form under the same key (the fee was changed in between): what the first became is looked for.
            400 when error?["type"] == "idempotency_error" => new Charged.Unknown(said.Why),
            400 or 404 => new Charged.Refused(error?["code"] ?? "refused"),
            // Our key, our rate, its trouble: nothing is known, and the same may be asked again.
            _ => new Charged.Unknown(said.Why),
        };
    }

    private async ValueTask<Charged> JudgeAsync(StripeAccess access, Mandate mandate, StripeSaid intent, StripeSaid? error, CancellationToken ct)
    {
        if (intent["id"] is not { } id) return new Charged.Unknown("Stripe's answer has no id.");
        switch (intent["status"])
        {
            case "succeeded" when intent.Number("amount") == StripeCurrencies.MinorOf(mandate.Terms.Price): return new Charged.Taken(id);
            case "canceled": return new Charged.Refused(WhyOf(error));
            case "requires_action" or "requires_payment_method" or "requires_confirmation":
                // It ends here: nobody may confirm it later, when its order is long over.
                var ended = await stripe.PostAsync(access, $"v1/payment_intents/{Uri.EscapeDataString(id)}/cancel", $"turnpike-{mandate.Pending}-cancel", [], ct);
                if (!ended.IsGood || ended["status"] != "canceled") return new Charged.Unknown(ended.Why);
                return new Charged.Refused(intent["status"] == "requires_action" ? Authentication : WhyOf(error));
            case var other: return new Charged.Unknown($"Stripe says {other}.");
        }
    }

    private static List<KeyValuePair<string, string>> Form(StripeCheckoutSettings settings, Mandate mandate)
    {
        var (minor, order) = (StripeCurrencies.MinorOf(mandate.Terms.Price)!.Value, mandate.Pending!);
        List<KeyValuePair<string, string>> form =
        [
            new("amount", minor.ToString(CultureInfo.InvariantCulture)),
            new("currency", mandate.Terms.Price.Currency.ToLowerInvariant()),
            new("customer", mandate.Customer!),
            new("payment_method", mandate.Card!),
            new("off_session", "true"),
            new("confirm", "true"),
            new("automatic_payment_methods[enabled]", "true"),
            new("automatic_payment_methods[allow_redirects]", "never"),
            new("description", $"Automatic top-up: {mandate.Terms.Budget} of calls to {mandate.Operation}"),
            new("metadata[turnpike_purchase]", order),
            new("metadata[turnpike_agreed_with]", mandate.Purchase),
        ];
        if (StripeCheckout.FeeOf(settings, minor) is > 0 and var fee) form.Add(new("application_fee_amount", fee.ToString(CultureInfo.InvariantCulture)));
        return form;
    }

    /// <summary>The bank's own word before Stripe's.</summary>
    private static string WhyOf(StripeSaid? error) => error?["code"] == Authentication ? Authentication : error?["decline_code"] ?? error?["code"] ?? "declined";
}
