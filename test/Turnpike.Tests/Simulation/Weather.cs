namespace Turnpike.Tests.Simulation;

/// <summary>How bad the world is, in percent per use of a seam. Drawn from the seed: some runs are calm, some break one thing all the time, some everything a little.</summary>
internal sealed record Weather
{
    /// <summary>A request to the chain's node is lost before or after its effect.</summary>
    public int Chain { get; init; }

    /// <summary>A transaction arrives late, or twice.</summary>
    public int LateTransactions { get; init; }

    /// <summary>The chain stands still for a while.</summary>
    public int StandingChain { get; init; }

    public int Stripe { get; init; }

    /// <summary>A facilitator says nothing, or what is not so, before or after its effect.</summary>
    public int Facilitator { get; init; }

    /// <summary>The upstream fails before, within or after its answer.</summary>
    public int Upstream { get; init; }

    /// <summary>The upstream is slow.</summary>
    public int SlowUpstream { get; init; }

    /// <summary>A rail's own code is slow, or throws before or after its effect.</summary>
    public int Rail { get; init; }

    /// <summary>A batch fails in or after its commit.</summary>
    public int Disk { get; init; }

    /// <summary>A batch waits for its disk.</summary>
    public int SlowDisk { get; init; }

    /// <summary>How often a process dies, per ten seconds.</summary>
    public int Crash { get; init; }

    /// <summary>The wall clock of a process jumps, per ten seconds.</summary>
    public int Clock { get; init; }

    /// <summary>Callers leave early.</summary>
    public int Leaving { get; init; }

    /// <summary>A shared store does not commit, or does not say so, or goes away.</summary>
    public int Store { get; init; }

    /// <summary>A process stands still for a while and goes on as if nothing were, per ten seconds.</summary>
    public int Pause { get; init; }

    public static Weather Calm { get; } = new();

    public static Weather Of(Random random, Parts parts)
    {
        int Some(int most) => random.Next(3) == 0 ? random.Next(most + 1) : 0;
        var weather = random.Next(20) == 0 ? Calm : new Weather
        {
            Chain = Some(40), LateTransactions = Some(40), StandingChain = Some(50), Stripe = Some(60), Upstream = Some(60), SlowUpstream = Some(60),
            Rail = Some(40), Disk = Some(4), SlowDisk = Some(20), Crash = Some(80), Clock = Some(40), Leaving = Some(50),
        };
        if (weather == Calm) return weather;
        if (parts.HasFlag(Parts.Nodes)) weather = weather with { Store = Some(10), Pause = Some(60) };
        return parts.HasFlag(Parts.Facilitator) ? weather with { Facilitator = Some(60) } : weather;
    }
}
