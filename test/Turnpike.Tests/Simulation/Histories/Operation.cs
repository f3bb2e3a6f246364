namespace Turnpike.Tests.Simulation.Histories;

/// <summary>One call of an object by one thread: what was asked, what it answered, and when, on a clock all threads share.</summary>
/// <param name="Answer">Null when nobody was told (the process died, the connection broke): it may or may not have happened.</param>
internal sealed record Operation<TAsk, TAnswer>(TAsk Ask, TAnswer? Answer, long Began, long Ended) where TAnswer : class
{
    public override string ToString() => $"[{Began}–{(Answer is null ? "…" : Ended)}] {Ask} → {Answer?.ToString() ?? "?"}";
}
