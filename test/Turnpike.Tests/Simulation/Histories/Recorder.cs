using System.Collections.Concurrent;

namespace Turnpike.Tests.Simulation.Histories;

/// <summary>Lets threads loose on an object, and writes down what each asked and was told, and when.</summary>
internal static class Recorder
{
    /// <param name="work">What each thread asks, in order.</param>
    public static async Task<IReadOnlyList<Operation<TAsk, TAnswer>>> RecordAsync<TAsk, TAnswer>(IReadOnlyList<IReadOnlyList<TAsk>> work, Func<TAsk, Task<TAnswer>> call) where TAnswer : class
    {
        var history = new ConcurrentQueue<Operation<TAsk, TAnswer>>();
        var clock = 0L;
        using var start = new Barrier(work.Count);
        await Task.WhenAll(work.Select(asks => Task.Factory.StartNew(() =>
        {
            start.SignalAndWait();
            foreach (var ask in asks)
            {
                var began = Interlocked.Increment(ref clock);
                var answer = call(ask).GetAwaiter().GetResult(); // this thread is the caller's own
                history.Enqueue(new(ask, answer, began, Interlocked.Increment(ref clock)));
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        return [.. history.OrderBy(o => o.Began)];
    }
}
