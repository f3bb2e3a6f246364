using Turnpike.Catalog;
using Turnpike.Client;
using Turnpike.Ledger;
using Turnpike.Pricing.Buying;

namespace Turnpike.Payments.Buying;

/// <summary>Chooses how an upstream's terms are paid, within what the owner allows. Pure.</summary>
internal static class Shopping
{
    /// <summary>The first way that is allowed: by wallet, then by protocol. What a seller says decides nothing that the owner has not allowed.</summary>
    /// <param name="most">The most that may be paid for this call.</param>
    public static Choice? Choose(Spending spending, IEnumerable<(WalletSettings Settings, IWallet Wallet)> wallets, PaymentTerms terms, Money most, out Refusal why)
    {
        why = new Refusal(Reasons.UpstreamAsksPayment, "No wallet of this gateway can pay what it asks.");
        foreach (var (settings, wallet) in wallets)
        {
            var choices = wallet.Choices(terms).ToList();
            foreach (var protocol in spending.Protocols)
            foreach (var choice in choices.Where(c => c.Protocol == protocol))
            {
                var amount = new Money(choice.Amount.Nano, choice.Amount.Currency);
                if (choice.Payee is { } payee && !spending.Payees.Contains(payee)) why = new Refusal(Reasons.UpstreamAsksPayment, "It asks to pay somebody who may not be paid.");
                else if (amount.Currency != most.Currency || amount > most) why = new Refusal(Reasons.UpstreamTooDear, "It asks for more than may be paid for this call.");
                else return new Choice(settings, choice, amount);
            }
        }
        return null;
    }

    /// <summary>One way to pay.</summary>
    internal sealed record Choice(WalletSettings Wallet, PaymentChoice How, Money Amount);
}
