namespace Turnpike.EndToEnd.Harness;

/// <summary>Tests that need the ports of the documents (8402, 8403), one after the other, and after those of another run on the machine.</summary>
[CollectionDefinition(Name)]
public sealed class DefaultPorts : ICollectionFixture<DefaultPorts.Turn>
{
    public const string Name = "default ports";

    /// <summary>The ports are this run's.</summary>
    public sealed class Turn : IAsyncLifetime
    {
        private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
        private FileStream? held;

        public async ValueTask InitializeAsync()
        {
            for (var since = Environment.TickCount64; !Ports.TryHold(8402, out held);)
            {
                if (Environment.TickCount64 - since > Longest.TotalMilliseconds) throw new TimeoutException("Another run has had the ports 8402 and 8403 for ten minutes.");
                await Task.Delay(200);
            }
        }

        public ValueTask DisposeAsync() => held?.DisposeAsync() ?? default;
    }
}
