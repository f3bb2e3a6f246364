using Turnpike.Admin.Support;
using Turnpike.Audit;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Admin.Support;

/// <summary>"They say they paid": what they can tell is a wallet, a transaction, or the correlation of an answer.</summary>
public sealed class PaymentSearchTests : IDisposable
{
    private readonly TestGate gate = new();

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task A_payment_is_found_by_whatever_its_payer_was_told()
    {
        var paid = await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync()));
        paid.Status.ShouldBe(200);
        var receipt = paid.Headers["Turnpike-Receipt"].ToString().Split('/')[^1];
        var payment = (await gate.Ledger.FindByReceiptAsync(receipt, default)).ShouldNotBeNull();
        var transaction = payment.Reference.ShouldNotBeNull();
        foreach (var id in (string[])[payment.Hold.Id, receipt, paid.Headers["Turnpike-Correlation"].ToString(), transaction, "0x" + transaction[2..].ToUpperInvariant()])
            (await PaymentSearch.FindAsync(gate.Ledger, gate.Of<IAuditTrail>(), id, default)).ShouldNotBeNull(id).Hold.Id.ShouldBe(payment.Hold.Id);
        foreach (var id in (string[])["r_1j0sbnsigs67hgdcd8f7swnhdd", "c_1j0sbnsduqicxrfxc837xk23ni", "0x05", "paris", ""])
            (await PaymentSearch.FindAsync(gate.Ledger, gate.Of<IAuditTrail>(), id, default)).ShouldBeNull(id);
    }

    [Fact]
    public async Task A_wallet_is_found_as_it_shows_itself()
    {
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync()))).Status.ShouldBe(200);
        (await gate.GetAsync("/forecast/paris", ("Authorization", await gate.TokenAsync()))).Status.ShouldBe(200);
        var bare = TestGate.Payer.ToLowerHex();
        foreach (var (payer, count) in ((string?, int)[])[(bare, 1), ("0x" + bare[2..].ToUpperInvariant(), 1), ("eip155:84532:0x" + bare[2..].ToUpperInvariant(), 1), ("eip155:1:" + bare, 0), ("0x" + new string('a', 40), 0), (null, 2)])
            (await PaymentSearch.ListAsync(gate.Ledger, gate.Of<CatalogSource>().Current, new HoldFilter(Payer: payer), default)).Count.ShouldBe(count, payer);
    }
}
