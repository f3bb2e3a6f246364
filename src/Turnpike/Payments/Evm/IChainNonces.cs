using Turnpike.Protocols.Evm;

namespace Turnpike.Payments.Evm;

/// <summary>A signer's next transaction number on a chain, handed out once to whoever asks, on every node that shares the store.</summary>
internal interface IChainNonces
{
    /// <summary>The next number, at least <paramref name="floor"/>; nobody else gets the same. Durable before it is told.</summary>
    ValueTask<ulong> TakeAsync(ulong chainId, Address signer, ulong floor, CancellationToken ct);

    /// <summary>True where other nodes take numbers of the same signer.</summary>
    bool IsShared { get; }

    /// <summary>
    /// May this node fill gaps in the signer's numbers? For some seconds no other may: two that fill the same gap, or one that fills
    /// what the other is about to send, would fight about every number behind it.
    /// </summary>
    ValueTask<bool> MayFillAsync(ulong chainId, Address signer, CancellationToken ct);

    /// <summary>The number that would be handed out next; null before the first.</summary>
    ValueTask<ulong?> NextAsync(ulong chainId, Address signer, CancellationToken ct);
}
