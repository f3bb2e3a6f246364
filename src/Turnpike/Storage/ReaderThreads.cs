using System.Threading.Channels;

namespace Turnpike.Storage;

/// <summary>The few threads that wait for a database on the network, so that the pool's do not: as many reads at a time as threads, the others queue.</summary>
internal sealed class ReaderThreads : IDisposable
{
    private readonly Channel<Action> waiting = Channel.CreateUnbounded<Action>();
    private readonly Thread[] threads;

    public ReaderThreads(int count)
    {
        threads = [.. Enumerable.Range(1, count).Select(n => new Thread(Run) { IsBackground = true, Name = $"turnpike reader {n}" })];
        foreach (var thread in threads) thread.Start();
    }

    public ValueTask<T> RunAsync<T>(Func<T> read)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var queued = waiting.Writer.TryWrite(() =>
        {
            try
            {
                done.SetResult(read());
            }
            catch (Exception e) // it is the reader's, and goes to whoever waits
            {
                done.SetException(e);
            }
        });
        if (!queued) done.SetException(new StorageUnavailableException("The store is stopping; nothing more is read."));
        return new ValueTask<T>(done.Task);
    }

    public void Dispose()
    {
        waiting.Writer.TryComplete();
        foreach (var thread in threads) thread.Join();
    }

    private void Run()
    {
        while (waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult()) // these threads are the database's own
            while (waiting.Reader.TryRead(out var read)) read();
    }
}
