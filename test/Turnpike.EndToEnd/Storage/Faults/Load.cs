using System.Net;
using Turnpike.EndToEnd.Crashes;
using Turnpike.EndToEnd.Harness;
using Turnpike.EndToEnd.Nodes;

namespace Turnpike.EndToEnd.Storage.Faults;

/// <summary>Callers who buy without a pause, each purchase under a key of its own, while something else happens; and the reckoning afterwards.</summary>
internal sealed class Load
{
    private readonly List<(Purchase Purchase, string Body)> answered = [];
    private readonly List<Purchase> open = [];
    private readonly IReadOnlyList<PaidApi> nodes;
    private readonly string token;
    private readonly List<Task> callers;
    private TimeSpan longest;
    private int keys;
    private volatile bool stop;

    private Load(IReadOnlyList<PaidApi> nodes, string token, int callers)
    {
        (this.nodes, this.token) = (nodes, token);
        this.callers = [.. Enumerable.Range(0, callers).Select(caller => Task.Run(() => BuyAsync(nodes[caller % nodes.Count])))];
    }

    public int Answered
    {
        get { lock (answered) return answered.Count; }
    }

    public string Token => token;

    /// <summary>The longest anybody waited for an answer of any kind.</summary>
    public TimeSpan Longest
    {
        get { lock (answered) return longest; }
    }

    public static async Task<Load> StartAsync(IReadOnlyList<PaidApi> nodes, int callers = 12) => new(nodes, await nodes[0].TokenAsync(Purchase.PlentyUsd), callers);

    /// <summary>Waits until so many more are answered.</summary>
    public async Task MoreAsync(int more)
    {
        var wanted = Answered + more;
        for (var wait = 0; Answered < wanted; wait++)
        {
            if (wait == 2_400) throw new ShouldAssertException($"Only {Answered} of {wanted} purchases were answered in two minutes.\n{nodes[0].Gateway.Log}");
            await Task.Delay(50);
        }
    }

    /// <summary>
    /// No more buying. Every hold ends, books and trail verify; what was answered is there and paid once, what was not can be had now
    /// and is paid once: in the end as much is charged as was bought.
    /// </summary>
    public async Task ReckonAsync()
    {
        stop = true;
        await Task.WhenAll(callers);
        var at = nodes.First(node => node.Gateway.Lives);
        await TwoNodesTests.OpenHoldsEndAsync(at);
        var charged = await Purchase.ChargedAsync(at, "prepaid", token, Purchase.Plenty);
        charged.ShouldBeInRange(answered.Count, answered.Count + open.Count, $"{answered.Count} were answered, {open.Count} not");
        foreach (var (purchase, body) in answered.Where((_, i) => i % 11 == 0))
            if (await purchase.InsistAsync() is { Status: HttpStatusCode.OK } again) again.Body.ShouldBe(body);
        await Parallel.ForEachAsync(open, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (purchase, _) => await purchase.InsistAsync());
        (await Purchase.ChargedAsync(at, "prepaid", token, Purchase.Plenty)).ShouldBe(answered.Count + open.Count, "each was bought once");
        await Purchase.SettledAsync(at);
    }

    private async Task BuyAsync(PaidApi at)
    {
        while (!stop)
        {
            var purchase = await Purchase.OnAsync(at, "prepaid", token, Interlocked.Increment(ref keys));
            var began = TimeProvider.System.GetTimestamp();
            var told = await purchase.PresentAsync();
            var took = TimeProvider.System.GetElapsedTime(began);
            lock (answered)
            {
                if (took > longest) longest = took;
                if (told is { Status: HttpStatusCode.OK }) answered.Add((purchase, told.Body));
                else open.Add(purchase.At(nodes.FirstOrDefault(node => node.Gateway.Lives) ?? at));
            }
            // Whoever is refused waits a little, as everybody who reads Retry-After does.
            if (told is not { Status: HttpStatusCode.OK }) await Task.Delay(1000);
        }
    }
}
