namespace Turnpike.Tests.Simulation.Sweeps;

/// <summary>One payment in a world where nothing fails but one write, in one way.</summary>
/// <param name="Way">What is bought, and how.</param>
/// <param name="Write">Which of the writes from the payment on fails, from 1.</param>
internal sealed record Script(string Way, int Write, Failing How)
{
    private int writes;

    /// <summary>Writes are counted.</summary>
    public bool Counts { get; set; }

    /// <summary>It has failed.</summary>
    public bool Struck => writes >= Write;

    /// <summary>How the write that is about to be committed fails; null when it does not.</summary>
    public Failing? Next() => Counts && ++writes == Write ? How : null;
}

/// <summary>What a store does to a commit.</summary>
internal enum Failing
{
    Conflict,
    Away,
    CommitsSilently,
    IsSilent,
}
