using Turnpike.Payments.Evm;
using Turnpike.Protocols.Evm;

namespace Turnpike.Tests.Payments.Evm;

/// <summary>The model of <see cref="IChainNonces"/>.</summary>
internal sealed class MemoryNonces : IChainNonces
{
    private readonly Lock door = new();
    private readonly Dictionary<(ulong, Address), ulong> next = [];

    public bool IsShared => false;

    public ValueTask<bool> MayFillAsync(ulong chainId, Address signer, CancellationToken ct) => ValueTask.FromResult(true);

    public ValueTask<ulong> TakeAsync(ulong chainId, Address signer, ulong floor, CancellationToken ct)
    {
        lock (door)
        {
            var taken = Math.Max(floor, next.GetValueOrDefault((chainId, signer)));
            next[(chainId, signer)] = taken + 1;
            return ValueTask.FromResult(taken);
        }
    }

    public ValueTask<ulong?> NextAsync(ulong chainId, Address signer, CancellationToken ct)
    {
        lock (door) return ValueTask.FromResult<ulong?>(next.TryGetValue((chainId, signer), out var found) ? found : null);
    }
}
