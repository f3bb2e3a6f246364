using Turnpike.Protocols.Evm;

namespace Turnpike.Payments.Evm;

/// <summary>A signer's next transaction number on a chain, handed out once to whoever asks, on every node that shares the store.</summary>
internal interface IChainNonces
{
    /// <summary>The next number, at least <paramref name="floor"/>; nobody else gets the same. Durable before it is told.</summary>
    ValueTask<ulong> TakeAsync(ulong chainId, Address signer, ulong floor, CancellationToken ct);

    /// <summary>The number that would be handed out next; null before the first.</summary>
    ValueTask<ulong?> NextAsync(ulong chainId, Address signer, CancellationToken ct);
}
