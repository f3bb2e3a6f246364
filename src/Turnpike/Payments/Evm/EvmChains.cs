using System.Collections.Concurrent;
using Turnpike.Catalog;
using Turnpike.Payments.X402;

namespace Turnpike.Payments.Evm;

/// <summary>A chain in use: who believes and collects there, and why it is not offered, if so.</summary>
internal sealed class EvmChain(ChainSettings settings, IFacilitator facilitator, Confirmations? confirmations)
{
    public ChainSettings Settings { get; } = settings;

    public IFacilitator Facilitator { get; } = facilitator;

    /// <summary>Counts blocks; null without a node of our own.</summary>
    public Confirmations? Confirmations { get; } = confirmations;

    /// <summary>Why no payment is asked for on it; null when all is well, or not known to be otherwise.</summary>
    public string? Refused { get; set; }

    /// <summary>When it was last compared with its configuration.</summary>
    public DateTimeOffset? Checked { get; set; }
}

/// <summary>
/// Every chain the configuration names or has named since the start: a payment made under an earlier document is still settled.
/// Chains of one signer share its queue, or their transactions would fight.
/// </summary>
internal sealed class EvmChains(CurrentPayments current, HttpClients clients, IChainNonces nonces, RailTimings timings, TimeProvider time, ILoggerFactory logs)
{
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromSeconds(10);
    private const long MostBytes = 1024 * 1024;
    private readonly ConcurrentDictionary<ChainSettings, Lazy<EvmChain>> chains = new();
    private readonly ConcurrentDictionary<(Uri, ulong, string), Lazy<SignerQueue>> queues = new();
    private readonly ConcurrentDictionary<string, EvmChain> latest = new(StringComparer.Ordinal);

    public EvmChain Of(ChainSettings settings) => chains.GetOrAdd(settings, s => new Lazy<EvmChain>(() => latest[s.Network] = Create(s))).Value;

    /// <summary>The chain to settle on, by CAIP-2; null when the configuration has dropped it.</summary>
    public EvmChain? Find(string network)
    {
        var configured = current()?.Chains.FirstOrDefault(c => c.Network == network);
        return configured is not null ? Of(configured) : latest.GetValueOrDefault(network);
    }

    /// <summary>All chains that money is taken on now.</summary>
    public IEnumerable<EvmChain> InUse()
    {
        if (current() is not { } payments) return [];
        return (payments.X402?.Chains ?? []).Concat(payments.Mpp?.EvmChains ?? []).Distinct().Select(Of);
    }

    private EvmChain Create(ChainSettings settings)
    {
        var node = settings.Rpc is { } rpc ? new EvmNode(new JsonRpcClient(clients(rpc, NodeTimeout, MostBytes), rpc)) : null;
        var confirmations = node is null ? null : new Confirmations(node, timings, time);
        if (settings.Facilitator is { } url) return new EvmChain(settings, new FacilitatorClient(clients(url, FacilitatorClient.Timeout, MostBytes), url, settings, node is null ? null : new AuthorizationTrace(node, timings), time), confirmations);
        if (node is null || settings.SettlerKey is not { } key) throw new InvalidOperationException($"{settings.Network} has neither a facilitator nor a node and a settler's key.");
        var queue = queues.GetOrAdd((settings.Rpc!, settings.ChainId, key.Reveal()), _ => new Lazy<SignerQueue>(() =>
            new SignerQueue(node, settings.ChainId, key, nonces, timings, time, logs.CreateLogger<SignerQueue>()))).Value;
        return new EvmChain(settings, new LocalFacilitator(node, settings, queue, timings, time), confirmations);
    }
}
