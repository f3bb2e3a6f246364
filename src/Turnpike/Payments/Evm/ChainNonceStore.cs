using Turnpike.Protocols.Evm;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Payments.Evm;

/// <summary>Transaction numbers in the database: a restart, or another node with the same key, goes on where this one stopped.</summary>
internal sealed class ChainNonceStore(Database database, NodeLease lease, TimeProvider time) : IChainNonces
{
    private static readonly TimeSpan Filling = TimeSpan.FromSeconds(15);

    public bool IsShared => !lease.IsAlone;

    public async ValueTask<ulong> TakeAsync(ulong chainId, Address signer, ulong floor, CancellationToken ct) => (ulong)await database.WriteAsync(
        sql => sql.First(
            """
            insert into signers (chain, signer, next) values ($1, $2, $3 + 1)
            on conflict (chain, signer) do update set next = case when signers.next > $3 then signers.next else $3 end + 1
            returning next - 1
            """,
            static row => row.Long(0), (long)chainId, signer.ToLowerHex(), (long)floor),
        ct);

    public async ValueTask<bool> MayFillAsync(ulong chainId, Address signer, CancellationToken ct) => lease.IsAlone || lease.IsHeld && await database.WriteAsync(sql =>
    {
        var now = sql.Now(time);
        return sql.Change("update signers set filler = $3, until = $4 where chain = $1 and signer = $2 and (filler = $3 or until <= $5)",
            (long)chainId, signer.ToLowerHex(), lease.Incarnation, now + Filling, now) == 1;
    }, ct);

    public async ValueTask<ulong?> NextAsync(ulong chainId, Address signer, CancellationToken ct) => await database.ReadAsync<ulong?>(
        sql => sql.First<long?>("select next from signers where chain = $1 and signer = $2", static row => row.Long(0), (long)chainId, signer.ToLowerHex()) is { } next ? (ulong)next : null,
        ct);
}
