using System.Threading.Channels;

namespace Turnpike.Storage;

/// <summary>
/// The few threads that wait for a database on the network, so that the pool's do not: as many reads at a time as threads, the others
/// queue. Nobody waits for a silent server longer than <see cref="Longest"/>.
/// </summary>
internal sealed class ReaderThreads : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private readonly Channel<Action> waiting = Channel.CreateUnbounded<Action>();
    private readonly Thread[] threads;
    private readonly TimeProvider time;

    public ReaderThreads(int count, TimeProvider time)
    {
        this.time = time;
        threads = [.. Enumerable.Range(1, count).Select(n => new Thread(Run) { IsBackground = true, Name = $"turnpike reader {n}" })];
        foreach (var thread in threads) thread.Start();
    }

    public ValueTask<T> RunAsync<T>(Func<T> read)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var queued = waiting.Writer.TryWrite(() =>
        {
            if (done.Task.IsCompleted) return; // whoever asked has gone
            try
            {
                done.TrySetResult(read());
            }
            catch (StorageException e) when (e.Fault is StorageFault.Away)
            {
                done.TrySetException(Away(e));
            }
            catch (Exception e) // it is the reader's, and goes to whoever waits
            {
                done.TrySetException(e);
            }
        });
        if (!queued) done.SetException(new StorageUnavailableException("The store is stopping; nothing more is read."));
        return done.Task.IsCompleted ? new ValueTask<T>(done.Task) : WaitAsync(done);
    }

    private async ValueTask<T> WaitAsync<T>(TaskCompletionSource<T> done)
    {
        try
        {
            return await done.Task.WaitAsync(Longest, time);
        }
        catch (TimeoutException e)
        {
            done.TrySetException(Away(e));
            return await done.Task;
        }
    }

    private static StorageUnavailableException Away(Exception why) => new("The database is away; nothing is read until it is back.", why);

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
