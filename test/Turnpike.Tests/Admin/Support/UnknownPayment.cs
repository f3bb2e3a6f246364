using Turnpike.Ledger;

namespace Turnpike.Tests.Admin.Support;

/// <summary>A payment in the books whose rail fell silent.</summary>
internal static class UnknownPayment
{
    public const string Payer = "eip155:84532:0xpayer";

    public static async Task<Hold> AddAsync(ILedger ledger, string id = "eip3009:1:0xasset:0xpayer:0x01", DateTimeOffset? expires = null)
    {
        var hold = new Hold
        {
            Id = id,
            Legs = [new Leg("external:evm:" + Payer, "revenue:paid", new Money(10_000_000, "USD"), Limited: false)],
            Binding = "b",
            Receipt = "r_" + id.GetHashCode(StringComparison.Ordinal),
            Correlation = "c_" + id,
            Operation = "paid",
            Payer = Payer,
            Method = "x402.exact",
            PriceVersion = "v",
            Request = "GET /paid",
            Expires = expires,
        };
        await ledger.HoldAsync(hold, default);
        await ledger.CaptureAsync(new Turnpike.Ledger.Capture(id, hold.Ceiling), default);
        await ledger.UnknownAsync(id, "0xmaybe", [], default);
        return hold;
    }

    public static async Task<string> CreditAsync(ILedger ledger) => (await ledger.AvailableAsync("credit:" + Payer, "USD", default)).ToString();
}
