using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Ledger;
using Turnpike.Payments.Refunds;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.Evm;

/// <summary>
/// Refunds on a chain: an authorization (EIP-3009) of the settler's own wallet to the payer, whose nonce is the refund's name. So it
/// can be tried as often as need be and moves money once, whatever becomes of the transactions that carry it (ADR 0012).
/// </summary>
internal sealed class AuthorizationRefunds(EvmChains chains, TimeProvider time) : IRefundRail
{
    private static readonly TimeSpan Valid = TimeSpan.FromMinutes(15);

    public string Name => "refund.evm";

    public bool Takes(HoldState payment) => payment.Hold.Method is "x402.exact" or "mpp.evm" && AuthorizationTerms.FromJson(payment.Hold.Terms) is { } terms && chains.Find(terms.Network)?.Settings.SettlerKey is not null;

    public async ValueTask<RefundPlan> PlanAsync(HoldState payment, Money amount, string refund, CancellationToken ct)
    {
        var paid = AuthorizationTerms.FromJson(payment.Hold.Terms)!;
        var chain = chains.Find(paid.Network)!;
        if (paid.Contract != chain.Settings.Asset.Address) return RefundPlan.No($"It was paid in {paid.Asset}, which is not configured any more.");
        // A payment is rounded up to the asset's units: all of it goes back as all of what was paid.
        var whole = amount == payment.Captured;
        if (!whole && !amount.IsWholeIn(chain.Settings.Asset.Decimals)) return RefundPlan.No($"The asset has no {amount}: give back a whole number of its units.");
        if (!UInt256.TryParse(whole ? paid.Value : amount.ToRail(chain.Settings.Asset.Decimals).ToString(CultureInfo.InvariantCulture), out var value)) return RefundPlan.No("The amount is beyond the asset.");
        var key = SignerQueue.KeyBytes(chain.Settings.SettlerKey!.Value);
        var expires = time.GetUtcNow() + Valid;
        var authorization = new Authorization(Secp256k1.AddressOf(key), paid.Payer, value, 0UL, (ulong)expires.ToUnixTimeSeconds(), SHA256.HashData(Encoding.UTF8.GetBytes("turnpike-refund:" + refund)));
        var signed = ExactEvm.Sign(authorization, Eip712.DomainSeparator(paid.Name, paid.Version, chain.Settings.ChainId, paid.Contract), key);
        var terms = AuthorizationTerms.Of(chain.Settings, authorization, signed.Signature, resource: null);
        return await chain.Facilitator.VerifyAsync(terms, ct) is { } refused
            ? RefundPlan.No($"The settler's wallet {authorization.From} cannot give it: {refused.Detail}")
            : new RefundPlan(terms.ToJson(), null, expires);
    }

    public async ValueTask<string?> PrepareAsync(string plan, CancellationToken ct) =>
        AuthorizationTerms.FromJson(plan) is { } terms && chains.Find(terms.Network) is { } chain ? await chain.Facilitator.PrepareAsync(terms, ct) : null;

    public async ValueTask<Settlement> SettleAsync(string plan, HoldState captured, CancellationToken ct)
    {
        if (AuthorizationTerms.FromJson(plan) is not { } terms || chains.Find(terms.Network) is not { } chain) return new Settlement.Unknown(null, "Its chain is not configured any more.");
        var again = captured.Status == HoldStatus.Unknown || captured.Reference is not null;
        var settlement = await chain.Facilitator.SettleAsync(terms, captured.Broadcast, captured.Created, again, ct);
        // A reverted transaction has told the world our signature: until it expires, anybody can carry it out when the wallet is
        // filled. To call that failed, and order it anew, would be to give back twice.
        return settlement is Settlement.Failed { Code: not (ErrorCodes.ValidBefore or ErrorCodes.NonceAlreadyUsed) } failed ? new Settlement.Unknown(failed.Reference, failed.Detail) : settlement;
    }
}
