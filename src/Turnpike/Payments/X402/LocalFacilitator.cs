using Turnpike.Catalog;
using Turnpike.Payments.Evm;

namespace Turnpike.Payments.X402;

/// <summary>Believes and collects by itself, at a node of the owner's choice, with a key of the owner's.</summary>
internal sealed class LocalFacilitator(EvmNode node, ChainSettings chain, SignerQueue queue, RailTimings timings, TimeProvider time) : IFacilitator
{
    private readonly AuthorizationVerifier verifier = new(node, queue.Signer, time);
    private readonly AuthorizationTrace trace = new(node, timings);
    private AuthorizationSettler? settler;

    private AuthorizationSettler Settler => settler ??= new(node, verifier, trace, queue, timings, time);

    public ValueTask<string?> CheckAsync(CancellationToken ct) => AssetCheck.DifferenceAsync(node, chain, ct);

    public async ValueTask<Refusal?> VerifyAsync(AuthorizationTerms terms, CancellationToken ct)
    {
        try { return await verifier.VerifyAsync(terms, ct); }
        catch (NodeSilentException) { return Verdicts.Silent($"The node of {chain.Network} does not answer."); }
    }

    public async ValueTask<string?> PrepareAsync(AuthorizationTerms terms, CancellationToken ct)
    {
        try { return (await Settler.PrepareAsync(terms, ct)).ToJson(); }
        // Settling makes one itself when the node is back. That is safe: the authorization, not the transaction, is what can be used once.
        catch (NodeSilentException) { return null; }
    }

    public ValueTask<Settlement> SettleAsync(AuthorizationTerms terms, string? prepared, DateTimeOffset since, bool again, CancellationToken ct) =>
        Settler.SettleAsync(terms, PreparedTransaction.FromJson(prepared), since, again, ct);

    public async ValueTask TendAsync(CancellationToken ct) => await queue.FillGapsAsync(ct);
}
