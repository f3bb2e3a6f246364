using System.Diagnostics;

namespace Turnpike.EndToEnd.Harness;

/// <summary>Waits for states and not for times: a test holds on a slow machine and loses nothing on a fast one.</summary>
internal static class Until
{
    /// <summary>As long as nothing ever takes, on whatever machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static Task HoldsAsync(string what, Func<bool> holds) => HoldsAsync(what, () => Task.FromResult(holds()));

    public static async Task HoldsAsync(string what, Func<Task<bool>> holds)
    {
        for (var watch = Stopwatch.StartNew(); !await holds(); await Task.Delay(20))
            if (watch.Elapsed > Patience) throw new ShouldAssertException($"Not in two minutes: {what}");
    }

    /// <summary>A promise of one second, kept on this machine: beyond the second it may take as long as twenty of the questions took.</summary>
    public static async Task WithinASecondAsync(string what, Func<Task<bool>> holds)
    {
        var (watch, slowest) = (Stopwatch.StartNew(), TimeSpan.Zero);
        await HoldsAsync(what, async () =>
        {
            var asked = watch.Elapsed;
            var yes = await holds();
            if (watch.Elapsed - asked is var took && took > slowest) slowest = took;
            return yes;
        });
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(1) + 20 * slowest, what);
    }
}
