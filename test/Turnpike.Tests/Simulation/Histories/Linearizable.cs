using System.Collections;

namespace Turnpike.Tests.Simulation.Histories;

/// <summary>
/// Wing and Gong's search (1993), with Lowe's memory of what was tried (2017): is there an order of the calls, each at one moment
/// between its beginning and its end, in which a sequential object would have given these answers?
/// </summary>
internal static class Linearizable
{
    /// <param name="apply">The sequential object: the state after the call, or null when it would not have answered so. States compare by value.</param>
    public static bool Check<TState, TAsk, TAnswer>(IReadOnlyList<Operation<TAsk, TAnswer>> history, TState initial, Func<TState, TAsk, TAnswer?, TState?> apply)
        where TState : class where TAnswer : class
    {
        HashSet<(string Done, TState State)> tried = [];
        return Search(new BitArray(history.Count), initial);

        bool Search(BitArray done, TState state)
        {
            if (Remaining(done).All(i => history[i].Answer is null)) return true; // what nobody was told of need not have happened
            if (!tried.Add((Key(done), state))) return false;
            // Whatever comes next began before everything that is left had ended.
            var first = Remaining(done).Min(i => history[i].Answer is null ? long.MaxValue : history[i].Ended);
            foreach (var next in Remaining(done).Where(i => history[i].Began <= first).ToList())
            {
                if (apply(state, history[next].Ask, history[next].Answer) is not { } after) continue;
                done[next] = true;
                if (Search(done, after)) return true;
                done[next] = false;
            }
            return false;
        }
    }

    private static IEnumerable<int> Remaining(BitArray done)
    {
        for (var i = 0; i < done.Count; i++)
            if (!done[i]) yield return i;
    }

    private static string Key(BitArray done) => string.Create(done.Count, done, static (text, done) =>
    {
        for (var i = 0; i < text.Length; i++) text[i] = done[i] ? '1' : '0';
    });
}
