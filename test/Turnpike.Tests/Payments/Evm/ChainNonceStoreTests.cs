using Turnpike.Payments.Evm;
using Turnpike.Protocols.Evm;
using Turnpike.Storage.Nodes;
using Turnpike.Tests.Storage;

namespace Turnpike.Tests.Payments.Evm;

/// <summary>A signer's numbers in the database: each once, also at once, also after a restart.</summary>
public sealed class ChainNonceStoreTests
{
    private static readonly Address Signer = Address.Parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");

    [Fact]
    public async Task Fifty_at_once_get_fifty_numbers_in_a_row_from_the_floor()
    {
        using var folder = new TemporaryFolder();
        using var database = folder.Open();
        var store = new ChainNonceStore(database, NodeLease.Alone(), TimeProvider.System);
        (await store.NextAsync(1, Signer, default)).ShouldBeNull();
        var numbers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => store.TakeAsync(1, Signer, 7, default).AsTask()));
        numbers.Order().ShouldBe(Enumerable.Range(7, 50).Select(i => (ulong)i));
        (await store.TakeAsync(2, Signer, 0, default)).ShouldBe(0UL);
    }

    [Fact]
    public async Task A_restart_goes_on_and_a_chain_that_is_ahead_is_caught_up_with()
    {
        using var folder = new TemporaryFolder();
        using (var database = folder.Open()) await new ChainNonceStore(database, NodeLease.Alone(), TimeProvider.System).TakeAsync(1, Signer, 5, default);
        using var again = folder.Open();
        var store = new ChainNonceStore(again, NodeLease.Alone(), TimeProvider.System);
        (await store.NextAsync(1, Signer, default)).ShouldBe(6UL);
        (await store.TakeAsync(1, Signer, 5, default)).ShouldBe(6UL);
        (await store.TakeAsync(1, Signer, 20, default)).ShouldBe(20UL);
    }
}
