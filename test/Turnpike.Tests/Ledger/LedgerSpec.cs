using Turnpike.Ledger;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.Tests.Ledger;

/// <summary>What every ledger does, as tables of verbs and what is left: run on the model and on every store.</summary>
public sealed class LedgerSpec
{
    public static TheoryData<string, string, string> Lives
    {
        get
        {
            // A hold of 40 of 100 US cents. Verbs, then what is left: status, captured, available (revenue).
            (string Verbs, string Left)[] rows =
            [
                ("hold", "held 0 60 (0)"),
                ("hold hold", "held 0 60 (0)"),
                ("hold release", "released 0 100 (0)"),
                ("hold release release", "released 0 100 (0)"),
                ("hold release hold", "held 0 60 (0)"),
                ("hold release hold take:40:tx", "settled 40 60 (40)"),
                ("hold take:40", "captured 40 60 (40)"),
                ("hold take:15", "captured 15 85 (15)"),
                ("hold take:0", "captured 0 100 (0)"),
                ("hold take:15 take:15", "captured 15 85 (15)"),
                ("hold take:15 take:16", "! captured 15 85 (15)"),
                ("hold take:41", "! held 0 60 (0)"),
                ("hold take:-1", "! held 0 60 (0)"),
                ("hold take:15:tx", "settled 15 85 (15)"),
                ("hold take:15:tx take:15:tx", "settled 15 85 (15)"),
                ("hold take:15 settled:tx", "settled 15 85 (15)"),
                ("hold take:15 settled:tx settled:tx", "settled 15 85 (15)"),
                ("hold take:15 settled:tx settled:other", "! settled 15 85 (15)"),
                ("hold take:15 unknown", "unknown 15 85 (15)"),
                ("hold take:15 unknown settled:tx", "settled 15 85 (15)"),
                ("hold take:15 unknown release", "released 0 100 (0)"),
                ("hold take:15 settled:tx unknown", "settled 15 85 (15)"),
                ("hold take:15 release", "released 0 100 (0)"),
                ("hold take:15 release hold take:40:tx", "settled 40 60 (40)"),
                ("hold take:15:tx release", "! settled 15 85 (15)"),
                ("hold release take:15", "! released 0 100 (0)"),
                ("hold settled:tx", "! held 0 60 (0)"),
                ("hold unknown", "! held 0 60 (0)"),
                ("hold see:10 see:25 see:5", "held 0 60 (0)"),
                ("hold see:10 take:15:tx", "settled 15 85 (15)"),
            ];
            TheoryData<string, string, string> data = [];
            foreach (var ledger in Ledgers.All.Select(row => row.Data))
                foreach (var (verbs, left) in rows)
                    data.Add(ledger, verbs, left);
            return data;
        }
    }

    [Theory, MemberData(nameof(Lives))]
    public async Task A_hold_lives_as_the_table_says(string name, string verbs, string left)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        await ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        var refused = "";
        foreach (var verb in verbs.Split(' '))
        {
            try
            {
                await DoAsync(ledger, verb.Split(':'));
            }
            catch (LedgerException)
            {
                refused += "! ";
            }
        }
        var state = (await ledger.FindAsync("h", default))!;
        var available = await ledger.AvailableAsync("token:a", "USD", default);
        var report = await ledger.VerifyAsync(default);
        var revenue = report.Totals.Where(total => total.Role == "revenue").Sum(total => total.Sum.Units);
        $"{refused}{HoldRow.Text(state.Status)} {Cents(state.Captured.Units)} {Cents(available.Units)} ({Cents(revenue)})".ShouldBe(left);
        report.Findings.ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task What_is_booked_beside_a_capture_is_booked_with_it_once_or_not_at_all(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        await ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        await ledger.HoldAsync(Hold("h", Usd(40)), default);
        var taken = Capture("h", Usd(40), "tx") with { Besides = [new Transfer("loss:h", "loss:overrun", "overrun:x", Usd(5), "overrun", LimitedFrom: false, LimitedTo: false)] };
        await Should.ThrowAsync<LedgerException>(async () => await ledger.CaptureAsync(taken with { Amount = Usd(41) }, default));
        (await LostAsync()).ShouldBe(0);
        for (var i = 0; i < 2; i++) await ledger.CaptureAsync(taken, default);
        (await LostAsync()).ShouldBe(-5);

        async Task<long> LostAsync()
        {
            var report = await ledger.VerifyAsync(default);
            report.Findings.ShouldBeEmpty();
            return Cents(report.Totals.Where(total => total.Role == "loss").Sum(total => total.Sum.Units));
        }
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task A_credential_held_or_spent_is_already_used_and_a_released_one_only_for_the_same_thing(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        await ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        await ledger.HoldAsync(Hold("h", Usd(10)), default);

        (await ledger.HoldAsync(Hold("h", Usd(10), receipt: "r-2"), default)).ShouldBeOfType<HoldResult.AlreadyUsed>().State.Status.ShouldBe(HoldStatus.Held);
        await ledger.ReleaseAsync("h", "upstream-failed", [], default);
        (await ledger.HoldAsync(Hold("h", Usd(10), receipt: "r-3", binding: "GET /other"), default)).ShouldBeOfType<HoldResult.AlreadyUsed>().State.Note.ShouldBe("upstream-failed");
        var again = (await ledger.HoldAsync(Hold("h", Usd(20), receipt: "r-4"), default)).ShouldBeOfType<HoldResult.Held>();
        again.Again.ShouldBeTrue();
        (await ledger.FindByReceiptAsync("r-4", default))!.Hold.Ceiling.ShouldBe(Usd(20));
        await ledger.CaptureAsync(Capture("h", Usd(20), "tx"), default);
        (await ledger.HoldAsync(Hold("h", Usd(10), receipt: "r-5"), default)).ShouldBeOfType<HoldResult.AlreadyUsed>().State.Reference.ShouldBe("tx");
        (await ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(80));
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task All_legs_are_held_or_none(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        await ledger.PostAsync(TopUp("t1", "token:a", Usd(100)), default);
        await ledger.PostAsync(TopUp("t2", "token:a", Calls(2)), default);
        await ledger.PostAsync(TopUp("t3", "cap:o:2026-11", Usd(50)), default);
        IReadOnlyList<Leg> legs =
        [
            new Leg("token:a", "revenue:x", Usd(30), Limited: true),
            new Leg("token:a", "external:calls", Calls(1), Limited: true, Fixed: true),
            new Leg("cap:o:2026-11", "external:cap", Usd(30), Limited: true),
        ];

        (await ledger.HoldAsync(Hold("h1", legs), default)).ShouldBeOfType<HoldResult.Held>();
        (await ledger.HoldAsync(Hold("h2", legs), default)).ShouldBe(new HoldResult.InsufficientFunds("cap:o:2026-11", Usd(20)));
        (await ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(70));
        (await ledger.AvailableAsync("token:a", "calls", default)).ShouldBe(Calls(1));

        await ledger.CaptureAsync(Capture("h1", Usd(7), "r"), default);
        (await ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(93));
        (await ledger.AvailableAsync("token:a", "calls", default)).ShouldBe(Calls(1));
        (await ledger.AvailableAsync("cap:o:2026-11", "USD", default)).ShouldBe(Usd(43));
        (await ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task A_limited_account_is_never_overdrawn_and_the_outside_world_has_no_bottom(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        (await ledger.HoldAsync(Hold("none", Usd(1)), default)).ShouldBe(new HoldResult.InsufficientFunds("token:a", Usd(0)));
        (await ledger.FindAsync("none", default)).ShouldBeNull();
        (await ledger.HoldAsync(Hold("chain", Usd(1_000_000), from: "external:eip155:8453:0xabc", limited: false), default)).ShouldBeOfType<HoldResult.Held>();

        await ledger.PostAsync(TopUp("t", "token:a", Usd(10)), default);
        (await ledger.HoldAsync(Hold("careless", Usd(11), limited: false), default)).ShouldBe(new HoldResult.InsufficientFunds("token:a", Usd(10)));
        var refund = new Transfer("f", "token:a", "external:test", Usd(11), "refund", LimitedFrom: true, LimitedTo: false);
        (await ledger.PostAsync(refund, default)).ShouldBe(PostResult.InsufficientFunds);
        (await ledger.PostAsync(refund with { Amount = Usd(10) }, default)).ShouldBe(PostResult.Posted);
        (await ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(0));
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task A_transfer_happens_once_by_its_id(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        (await ledger.PostAsync(TopUp("t", "token:a", Usd(10)), default)).ShouldBe(PostResult.Posted);
        (await ledger.PostAsync(TopUp("t", "token:a", Usd(10)), default)).ShouldBe(PostResult.Existed);
        (await ledger.PostAsync(TopUp("t", "token:a", Usd(11)), default)).ShouldBe(PostResult.Conflict);
        (await ledger.PostAsync(TopUp("t", "token:b", Usd(10)), default)).ShouldBe(PostResult.Conflict);
        (await ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(10));
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task A_hundred_concurrent_holds_on_a_budget_for_37_give_37(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        await ledger.PostAsync(TopUp("t", "token:a", Usd(37)), default);
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () => await ledger.HoldAsync(Hold($"h{i}", Usd(1)), default))));
        results.Count(result => result is HoldResult.Held).ShouldBe(37);
        results.Count(result => result is HoldResult.InsufficientFunds { Available.Units: 0 }).ShouldBe(63);
        (await ledger.VerifyAsync(default)).ShouldSatisfyAllConditions(report => report.Findings.ShouldBeEmpty(), report => report.OpenHolds.ShouldBe(37));
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task The_first_hold_opens_an_allowance_and_a_hundred_concurrent_ones_take_no_more_than_it_has(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () => await ledger.HoldAsync(Included($"h{i}", 5), default))));
        results.Count(result => result is HoldResult.Held).ShouldBe(5);
        results.Count(result => result is HoldResult.InsufficientFunds { Available.Units: 0 }).ShouldBe(95);
        (await ledger.AccountAsync("plan:a", "calls", default)).ShouldBe(new AccountState(Calls(0), Calls(5)));
        (await ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task An_allowance_is_raised_to_and_never_by(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        (await ledger.AccountAsync("plan:a", "calls", default)).ShouldBeNull();
        await ledger.HoldAsync(Included("h1", 2), default);
        await ledger.CaptureAsync(Capture("h1", Calls(1), "r"), default);
        await ledger.HoldAsync(Included("h2", 10), default);
        (await ledger.AccountAsync("plan:a", "calls", default)).ShouldBe(new AccountState(Calls(8), Calls(10)));
        await ledger.HoldAsync(Included("h3", 2), default);
        (await ledger.AccountAsync("plan:a", "calls", default)).ShouldBe(new AccountState(Calls(7), Calls(10)));
        (await ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    private static Hold Included(string id, long allowance) => Hold(id, Calls(1), from: "plan:a") with { Raises = [new Raise("plan:a", "external:plan", Calls(allowance))] };

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task Fifty_concurrent_replays_of_one_credential_give_one_hold(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(async () =>
            await ledger.HoldAsync(Hold("eip3009:1", Usd(1), from: "external:chain:payer", limited: false, receipt: $"r{i}"), default))));
        results.Count(result => result is HoldResult.Held).ShouldBe(1);
        results.Count(result => result is HoldResult.AlreadyUsed).ShouldBe(49);
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task Unfinished_are_the_captured_and_the_unknown_and_lists_are_newest_first(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        foreach (var id in (string[])["h1", "h2", "h3", "h4"]) await ledger.HoldAsync(Hold(id, Usd(1), from: "external:p:" + id, limited: false), default);
        await ledger.CaptureAsync(Capture("h2", Usd(1)) with { Broadcast = "0xsigned", RailAmount = "10000" }, default);
        await ledger.CaptureAsync(Capture("h3", Usd(1)), default);
        await ledger.UnknownAsync("h3", "0xhash", [], default);
        await ledger.CaptureAsync(Capture("h4", Usd(1), "done"), default);

        var unfinished = await ledger.UnfinishedAsync(10, default);
        unfinished.Select(state => (state.Hold.Id, state.Broadcast, state.RailAmount, state.Reference)).ShouldBe([("h2", "0xsigned", "10000", null), ("h3", null, null, "0xhash")]);
        (await ledger.ListAsync(new HoldFilter(Most: 2), default)).Select(state => state.Hold.Id).ShouldBe(["h4", "h3"]);
        (await ledger.ListAsync(new HoldFilter(Before: unfinished[1].Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture)), default)).Select(state => state.Hold.Id).ShouldBe(["h2", "h1"]);
        (await ledger.ListAsync(new HoldFilter(Status: "settled"), default)).Select(state => state.Hold.Id).ShouldBe(["h4"]);
        (await ledger.ListAsync(new HoldFilter(Payer: "external:p:h1", Operation: "x"), default)).Select(state => state.Hold.Id).ShouldBe(["h1"]);
        (await ledger.ListAsync(new HoldFilter(Correlation: "c-h2", Payer: "external:p:h2"), default)).Select(state => state.Hold.Id).ShouldBe(["h2"]);
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task What_was_taken_goes_back_once_and_never_beside_the_answer(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        await ledger.PostAsync(TopUp("t", "token:a", Usd(3)), default);
        foreach (var id in (string[])["broken", "whole", "taken"])
        {
            await ledger.HoldAsync(Hold(id, Usd(1)), default);
            await ledger.CaptureAsync(Capture(id, Usd(1), id == "taken" ? null : "tx"), default);
        }
        await ledger.FinishAsync("whole", HoldOutcome.Delivered, [], default);
        foreach (var id in (string[])["broken", "whole", "broken"]) await ledger.CreditAsync(id, [Back(id)], default);
        await Should.ThrowAsync<LedgerException>(async () => await ledger.CreditAsync("taken", [Back("taken")], default));
        (await ledger.FindAsync("broken", default))!.Outcome.ShouldBe(HoldOutcome.Credited);
        (await ledger.FindAsync("whole", default))!.Outcome.ShouldBe(HoldOutcome.Delivered);
        (await ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(1));
        (await ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();

        static Transfer Back(string id) => new(id + ":back", "revenue:x", "token:a", Usd(1), "undelivered", LimitedFrom: false, LimitedTo: true);
    }

    /// <summary>Between two acts a process may die, and the payer would have both the stream and its price.</summary>
    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task What_passed_before_it_was_taken_is_delivered_by_the_same_act(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        await ledger.PostAsync(TopUp("t", "token:a", Usd(3)), default);
        await ledger.HoldAsync(Hold("stream", Usd(2)), default);
        (await ledger.CaptureAsync(Capture("stream", Usd(1), "tx") with { Delivered = true }, default)).Outcome.ShouldBe(HoldOutcome.Delivered);
        (await ledger.OwnAsync(10, default)).ShouldBeEmpty("nobody has to say anything more of it");
        await ledger.CreditAsync("stream", [new Transfer("back", "revenue:x", "token:a", Usd(1), "undelivered", LimitedFrom: false, LimitedTo: true)], default);
        (await ledger.FindAsync("stream", default))!.Outcome.ShouldBe(HoldOutcome.Delivered);
        (await ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(2));
        (await ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task What_goes_back_onto_a_credit_of_which_something_is_held_leaves_it_held(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        foreach (var id in (string[])["first", "second"])
        {
            await ledger.HoldAsync(Hold(id, Usd(2), from: "external:p", limited: false), default);
            await ledger.CaptureAsync(Capture(id, Usd(2), "tx"), default);
            await ledger.CreditAsync(id, [new Transfer(id + ":back", "revenue:x", "credit:p", Usd(2), "undelivered", LimitedFrom: false, LimitedTo: true)], default);
            (await ledger.HoldAsync(Hold(id + ":again", Usd(1), from: "credit:p"), default)).ShouldBeOfType<HoldResult.Held>();
        }
        (await ledger.AvailableAsync("credit:p", "USD", default)).ShouldBe(Usd(2));
        (await ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task A_raised_fee_replaces_the_broadcast_and_nothing_else(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        await ledger.HoldAsync(Hold("h", Usd(1), from: "external:p", limited: false), default);
        await ledger.CaptureAsync(Capture("h", Usd(1)) with { Broadcast = "first" }, default);
        (await ledger.CaptureAsync(Capture("h", Usd(1)) with { Broadcast = "second" }, default)).Broadcast.ShouldBe("second");
        (await ledger.VerifyAsync(default)).Entries.ShouldBe(2);
    }

    [Theory, MemberData(nameof(Ledgers.All), MemberType = typeof(Ledgers))]
    public async Task Amounts_that_would_overflow_are_refused_and_change_nothing(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        await ledger.PostAsync(TopUp("t1", "token:a", new Money(long.MaxValue, "USD")), default);
        await Should.ThrowAsync<OverflowException>(async () => await ledger.PostAsync(TopUp("t2", "token:a", Usd(1)), default));
        (await ledger.AvailableAsync("token:a", "USD", default)).Units.ShouldBe(long.MaxValue);
    }

    private static long Cents(long units) => units / (Money.Nano / 100);

    private static async Task DoAsync(ILedger ledger, string[] verb)
    {
        switch (verb[0])
        {
            case "hold": await ledger.HoldAsync(Hold("h", Usd(40)), default); break;
            case "see": await ledger.CheckpointAsync("h", Usd(long.Parse(verb[1], null)), default); break;
            case "take": await ledger.CaptureAsync(Capture("h", Usd(long.Parse(verb[1], null)), verb.ElementAtOrDefault(2)), default); break;
            case "settled": await ledger.SettledAsync("h", verb[1], null, [], default); break;
            case "unknown": await ledger.UnknownAsync("h", null, [], default); break;
            case "release": await ledger.ReleaseAsync("h", "over", [], default); break;
            default: throw new ArgumentOutOfRangeException(nameof(verb), verb[0], null);
        }
    }
}
