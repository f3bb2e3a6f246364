using System.Globalization;
using Turnpike.Ledger;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.Tests.Ledger;

/// <summary>Money that several accounts give for, caps on several levels, and limits that move: on the model and on every store.</summary>
public sealed class SharedMoneySpec
{
    private static readonly string[] Grants = ["balance:x:a", "balance:x:b", "balance:x:c"];

    public static TheoryData<string> All => Ledgers.All;

    public static TheoryData<string, string, string> Lives
    {
        get
        {
            // Grants of 10, 20 and 30 US cents, burnt in this order by a hold of 40. Verbs, then what is left of each (revenue).
            (string Verbs, string Left)[] rows =
            [
                ("hold", "0 0 20 (0)"),
                ("hold release", "10 20 30 (0)"),
                ("hold take:40", "0 0 20 (40)"),
                ("hold take:35", "0 0 25 (35)"),
                ("hold take:30", "0 0 30 (30)"),
                ("hold take:29", "0 1 30 (29)"),
                ("hold take:5", "5 20 30 (5)"),
                ("hold take:0", "10 20 30 (0)"),
                ("hold take:41", "! 0 0 20 (0)"),
                ("hold take:29 release", "10 20 30 (0)"),
                ("hold release hold take:12", "0 18 30 (12)"),
                ("spend:0 hold", "0 0 10 (0)"),
                ("spend:0 hold take:25", "0 0 25 (25)"),
                ("spend:0 spend:1 hold", "no 0 0 30 (0)"),
            ];
            TheoryData<string, string, string> data = [];
            foreach (var ledger in Ledgers.All.Select(row => row.Data))
                foreach (var (verbs, left) in rows)
                    data.Add(ledger, verbs, left);
            return data;
        }
    }

    private static Hold Of(string id, long cents) => Hold(id, Usd(cents), Grants[0]) with { Sources = Grants };

    private static async Task<long> LeftAsync(ILedger ledger, string account) => (await ledger.AvailableAsync(account, "USD", default)).Units / (Money.Nano / 100);

    [Theory, MemberData(nameof(Lives))]
    public async Task Grants_give_in_their_order_and_get_back_what_was_theirs(string name, string verbs, string left)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        for (var i = 0; i < 3; i++) await ledger.PostAsync(TopUp($"t{i}", Grants[i], Usd(10 * (i + 1))), default);
        var said = "";
        foreach (var verb in verbs.Split(' '))
        {
            var (word, number) = (verb.Split(':')[0], int.Parse(verb.Split(':').ElementAtOrDefault(1) ?? "0", CultureInfo.InvariantCulture));
            try
            {
                switch (word)
                {
                    case "hold" when await ledger.HoldAsync(Of("h", 40), default) is HoldResult.InsufficientFunds few:
                        few.Available.ShouldBe(Usd(30));
                        said += "no ";
                        break;
                    case "take": await ledger.CaptureAsync(Capture("h", Usd(number)), default); break;
                    case "release": await ledger.ReleaseAsync("h", "over", [], default); break;
                    case "spend": await ledger.PostAsync(new Transfer($"s{number}", Grants[number], "used:spent", Usd(10 * (number + 1)), "spent", true, false), default); break;
                }
            }
            catch (LedgerException) { said += "! "; }
        }
        var revenue = (await ledger.VerifyAsync(default)).Totals.FirstOrDefault(t => t.Role == "revenue")?.Sum.Units ?? 0;
        $"{said}{await LeftAsync(ledger, Grants[0])} {await LeftAsync(ledger, Grants[1])} {await LeftAsync(ledger, Grants[2])} ({revenue / (Money.Nano / 100)})".ShouldBe(left);
        (await ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(All))]
    public async Task A_hundred_at_once_over_ten_grants_spend_exactly_what_there_is(string name)
    {
        using var open = Ledgers.Open(name);
        string[] grants = [.. Enumerable.Range(0, 10).Select(i => $"balance:x:{i}")];
        foreach (var grant in grants) await open.Ledger.PostAsync(TopUp(grant, grant, Usd(37)), default);
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () => await open.Ledger.HoldAsync(Hold($"h{i}", Usd(10), grants[0]) with { Sources = grants }, default))));
        results.Count(r => r is HoldResult.Held).ShouldBe(37);
        await Task.WhenAll(Enumerable.Range(0, 100).Where(i => results[i] is HoldResult.Held).Select(async i => { if (i % 2 == 0) await open.Ledger.CaptureAsync(Capture($"h{i}", Usd(i % 11), "tx"), default); else await open.Ledger.ReleaseAsync($"h{i}", "over", [], default); }));
        (await open.Ledger.VerifyAsync(default)).ShouldSatisfyAllConditions(r => r.Findings.ShouldBeEmpty(), r => r.OpenHolds.ShouldBe(0));
        var left = 0L;
        foreach (var grant in grants) left += await LeftAsync(open.Ledger, grant);
        left.ShouldBe(370 - Enumerable.Range(0, 100).Where(i => results[i] is HoldResult.Held && i % 2 == 0).Sum(i => i % 11));
    }

    [Theory, MemberData(nameof(All))]
    public async Task A_hundred_at_once_under_five_levels_take_no_more_than_the_smallest_and_all_or_none(string name)
    {
        using var open = Ledgers.Open(name);
        await open.Ledger.PostAsync(TopUp("t", "token:a", Usd(1000)), default);
        (string Account, long Cents)[] levels = [("cap:organisation=o", 500), ("cap:c", 400), ("cap:c/key:k", 300), ("cap:token:a", 37), ("cap:c/task:t", 200)];
        Hold Capped(int i) => Hold($"h{i}", [new Leg("token:a", "revenue:x", Usd(1), true), .. levels.Select(l => new Leg(l.Account, "used:cap", Usd(1), true))]) with { Raises = [.. levels.Select(l => new Raise(l.Account, "external:cap", Usd(l.Cents), Exact: true))] };
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () => await open.Ledger.HoldAsync(Capped(i), default))));
        (results.Count(r => r is HoldResult.Held), results.OfType<HoldResult.InsufficientFunds>().Select(r => r.Account).Distinct().Single()).ShouldBe((37, "cap:token:a"));
        foreach (var (account, cents) in levels) (await LeftAsync(open.Ledger, account)).ShouldBe(cents - 37);
        (await open.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(All))]
    public async Task A_limit_that_is_lowered_takes_back_what_is_not_used_and_can_be_raised_again(string name)
    {
        using var open = Ledgers.Open(name);
        var ledger = open.Ledger;
        var tries = 0;
        async Task<(bool Held, long Left)> TryAsync(long limit, long cents)
        {
            var id = $"h{tries++}";
            var held = await ledger.HoldAsync(Hold(id, Usd(cents), "cap:c") with { Raises = [new Raise("cap:c", "external:cap", Usd(limit), Exact: true)] }, default) is HoldResult.Held;
            if (held) await ledger.CaptureAsync(Capture(id, Usd(cents), "tx"), default);
            return (held, await LeftAsync(ledger, "cap:c"));
        }
        (await TryAsync(50, 20)).ShouldBe((true, 30));
        (await TryAsync(25, 6)).ShouldBe((false, 5));
        (await TryAsync(10, 1)).ShouldBe((false, 0));
        (await TryAsync(50, 30)).ShouldBe((true, 0));
        (await TryAsync(25, 1)).ShouldBe((false, 0));
        (await TryAsync(50, 1)).ShouldBe((false, 0));
        (await TryAsync(51, 1)).ShouldBe((true, 0));
        (await ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(All))]
    public async Task A_transfer_leaves_what_has_to_stay(string name)
    {
        using var open = Ledgers.Open(name);
        await open.Ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        Transfer Move(string id, long cents) => new(id, "token:a", "token:b", Usd(cents), "handover", LimitedFrom: true, LimitedTo: true) { Leaves = Usd(30).Units };
        (await open.Ledger.PostAsync(Move("m1", 71), default)).ShouldBe(PostResult.InsufficientFunds);
        var moved = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(async () => await open.Ledger.PostAsync(Move($"n{i}", 7), default))));
        moved.Count(m => m == PostResult.Posted).ShouldBe(10);
        (await LeftAsync(open.Ledger, "token:a"), await LeftAsync(open.Ledger, "token:b")).ShouldBe((30, 70));
        (await open.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
    }
}
