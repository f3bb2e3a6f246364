using Turnpike.Catalog;
using Turnpike.Payments.Evm;

namespace Turnpike.Payments.X402;

/// <summary>Who believes and collects EIP-3009 authorizations: we ourselves at a node, or somebody by URL. Local checks are already done.</summary>
internal interface IFacilitator
{
    /// <summary>Null when payments can be taken through it; otherwise why not, as a sentence. Throws <see cref="NodeSilentException"/> when it does not say.</summary>
    ValueTask<string?> CheckAsync(CancellationToken ct);

    /// <summary>Null when the authorization would pay; moves nothing.</summary>
    ValueTask<Refusal?> VerifyAsync(AuthorizationTerms terms, CancellationToken ct);

    /// <summary>What will be sent, to be kept before it is sent; null when the terms say it all or it cannot be made now.</summary>
    ValueTask<string?> PrepareAsync(AuthorizationTerms terms, CancellationToken ct);

    /// <summary>Collects; idempotent by the authorization. <paramref name="again"/>: an earlier try may have reached the rail.</summary>
    ValueTask<Settlement> SettleAsync(AuthorizationTerms terms, string? prepared, DateTimeOffset since, bool again, CancellationToken ct);

    /// <summary>Regular upkeep: missing transactions are filled in. Does nothing where there is nothing to keep.</summary>
    ValueTask TendAsync(CancellationToken ct) => ValueTask.CompletedTask;
}
