using System.Collections.Concurrent;

namespace Turnpike.Storage;

/// <summary>
/// The few threads that wait for a database on the network, so that the pool's do not: as many reads at a time as threads, the others
/// queue. Nobody waits for a silent server longer than <see cref="Longest"/>.
/// </summary>
internal sealed class ReaderThreads : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private readonly BlockingCollection<Action> waiting = []; // it wakes a thread itself; a channel has the pool do it
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
        Queue(done, () =>
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
        waiting.CompleteAdding();
        foreach (var thread in threads) thread.Join();
    }

    private void Queue<T>(TaskCompletionSource<T> done, Action read)
    {
        try
        {
            waiting.Add(read);
        }
        catch (InvalidOperationException)
        {
            done.SetException(new StorageUnavailableException("The store is stopping; nothing more is read."));
        }
    }

    private void Run()
    {
        foreach (var read in waiting.GetConsumingEnumerable()) read();
    }
}
