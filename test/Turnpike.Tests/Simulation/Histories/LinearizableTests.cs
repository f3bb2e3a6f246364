namespace Turnpike.Tests.Simulation.Histories;

/// <summary>The checker itself: it accepts what could have been, and rejects what could not. A register and a counter are its subjects.</summary>
public sealed class LinearizableTests
{
    private static bool Register(params (string Ask, string? Answer, long Began, long Ended)[] calls) =>
        Linearizable.Check<string, string, string>([.. calls.Select(c => new Operation<string, string>(c.Ask, c.Answer, c.Began, c.Ended))], "0",
            static (state, ask, answer) => ask == "read" ? answer is null || answer == state ? state : null : ask);

    [Fact] public void One_after_the_other_is_as_it_was() => Register(("1", "ok", 1, 2), ("read", "1", 3, 4)).ShouldBeTrue();

    [Fact] public void What_ended_before_is_seen_after() => Register(("1", "ok", 1, 2), ("read", "0", 3, 4)).ShouldBeFalse();

    [Fact] public void What_overlaps_may_come_in_either_order()
    {
        Register(("1", "ok", 1, 4), ("read", "0", 2, 3)).ShouldBeTrue();
        Register(("1", "ok", 1, 4), ("read", "1", 2, 3)).ShouldBeTrue();
    }

    [Fact] public void Nobody_sees_the_old_after_somebody_saw_the_new() => Register(("1", "ok", 1, 10), ("read", "1", 2, 3), ("read", "0", 4, 5)).ShouldBeFalse();

    [Fact] public void What_nobody_was_told_of_may_have_happened_then_later_or_never()
    {
        Register(("1", null, 1, 1), ("read", "1", 2, 3)).ShouldBeTrue();
        Register(("1", null, 1, 1), ("read", "0", 2, 3), ("read", "1", 4, 5)).ShouldBeTrue();
        Register(("1", null, 1, 1), ("read", "0", 2, 3)).ShouldBeTrue();
        Register(("1", null, 1, 1), ("read", "1", 2, 3), ("read", "0", 4, 5)).ShouldBeFalse();
    }

    [Fact] public void What_was_never_written_is_never_read() => Register(("1", "ok", 1, 9), ("2", "ok", 2, 8), ("read", "3", 3, 7)).ShouldBeFalse();

    [Fact]
    public void A_budget_that_gives_its_last_cent_twice_is_found_out()
    {
        static bool Budget(params string[] answers) => Linearizable.Check<string, string, string>(
            [.. answers.Select((a, i) => new Operation<string, string>("spend", a, 1 + i, 100 + i))], "1",
            static (state, _, answer) => (state, answer) switch { ("1", "yes") => "0", ("0", "no") => "0", _ => null });
        Budget("yes", "no", "no").ShouldBeTrue();
        Budget("yes", "yes", "no").ShouldBeFalse();
        Budget("no", "no", "no").ShouldBeFalse();
    }
}
