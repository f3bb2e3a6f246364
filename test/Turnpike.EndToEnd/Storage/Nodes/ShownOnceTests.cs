using Turnpike.Identity.Signatures;
using Turnpike.Storage;

namespace Turnpike.EndToEnd.Storage.Nodes;

/// <summary>The number of a signature or proof counts once, to whichever node it is shown.</summary>
public sealed class ShownOnceTests
{
    [Fact]
    public async Task Fifty_copies_shown_to_two_nodes_at_once_count_once_and_after_a_restart_none_does()
    {
        var store = TemporaryDatabase.NewEmpty();
        using (var a = Database.Open(new StorageOptions(store), TimeProvider.System))
        using (var b = Database.Open(new StorageOptions(store), TimeProvider.System))
        {
            var nodes = (SeenOnce[])[new SeenOnce(TimeProvider.System, a), new SeenOnce(TimeProvider.System, b)];
            var first = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => nodes[i % 2].IsFirstAsync("key", "nonce", default).AsTask()));
            first.Count(yes => yes).ShouldBe(1);
            (await nodes[0].IsFirstAsync("another key", "nonce", default)).ShouldBeTrue();
        }
        using var later = Database.Open(new StorageOptions(store), TimeProvider.System);
        (await new SeenOnce(TimeProvider.System, later).IsFirstAsync("key", "nonce", default)).ShouldBeFalse();
    }
}
