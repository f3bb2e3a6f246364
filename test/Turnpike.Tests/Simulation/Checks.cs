using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Refunds;
using Turnpike.Protocols.Signing;
using Turnpike.Storage;
using Turnpike.Tests.Gateway;
using Turnpike.Tests.Payments.Evm;
using Turnpike.Tests.Simulation.Outside;
using Turnpike.Tests.Simulation.Wares;
using Turnpike.Tokens;

namespace Turnpike.Tests.Simulation;

/// <summary>The invariants: what can be seen after every batch, what can be seen of every answer, and all of them at the end.</summary>
internal sealed class Checks(World world)
{
    private readonly Dictionary<string, Row> known = [];
    private readonly Dictionary<string, string> promised = [];
    /// <summary>Somebody is being erased: holds get other names, and are not followed any more.</summary>
    public bool Renames { get; set; }

    private readonly Dictionary<Payer, (Token Token, UInt128 Rich)> payers = [];

    /// <summary>What a payer begins with.</summary>
    public UInt128 Rich(Payer payer, Token token, UInt128 units)
    {
        payers[payer] = (token, units);
        return units;
    }

    /// <summary>A batch is durable, or failed: the books sum to zero, nothing is overdrawn, and every hold is where it may have come to.</summary>
    public void AfterBatch(Node node, Database database)
    {
        if (world.Store is { } shared) shared.Look(sql => Look(node, sql));
        else Now(database.ReadAsync(sql => Look(node, sql), CancellationToken.None));
    }

    private bool Look(Node node, Sql sql)
    {
        foreach (var off in sql.Query("select currency from entries group by currency having sum(units) <> 0", row => row.Text(0))) world.Broken($"I1: the books of {off} do not sum to zero at {node.Name}");
        foreach (var account in sql.Query("select account from accounts where posted < held or held < 0", row => row.Text(0))) world.Broken($"I2: {account} is overdrawn at {node.Name}");
        if (Renames) return true;
        var rows = sql.Query("select id, receipt, status, outcome, captured, reference from holds", row => new Row(row.Text(0), row.Text(1), row.Text(2), row.Long(3), row.Long(4), row.TextOrNull(5)));
        foreach (var row in rows) Moved(row);
        if (rows.Count < known.Count) world.Broken($"I10: {known.Count - rows.Count} holds are gone at {node.Name}");
        return true;
    }

    /// <summary>A payer was given a whole 200.</summary>
    public void Answered(Payer payer, Purchase purchase, Told told)
    {
        var receipt = told.Headers["Turnpike-Receipt"].ToString().Split('/')[^1];
        if (told.Body.Contains("upstream-hush", StringComparison.Ordinal) || told.Headers.Any(h => h.Value.ToString().Contains("upstream-hush", StringComparison.Ordinal))) world.Broken("I8: a caller was shown the upstream's key");
        if (purchase.IsResale ? !told.Body.StartsWith(SimulatedSeller.Goods, StringComparison.Ordinal) : purchase.BuysToken ? told.Json.GetProperty("purchase").GetString() != receipt : purchase.IsStream ? !told.Body.Contains($" for {receipt} ", StringComparison.Ordinal) && !told.Body.Contains("length", StringComparison.Ordinal) : !told.Body.EndsWith(" for " + receipt, StringComparison.Ordinal)) world.Broken($"an answer for another payment was given under {receipt}: {told.Body}");
        // Its node stood still with the last byte gone and the word of it not yet written, and was taken for dead: as after a crash there.
        if (world.Store is not null && known.Values.FirstOrDefault(row => row.Receipt == receipt) is { Outcome: (long)HoldOutcome.Credited })
        {
            world.Say("its node had been taken for dead: the payer has the answer and its price");
            return;
        }
        var hold = known.Values.FirstOrDefault(row => row.Receipt == receipt);
        // It had left before its money could be taken, or its node stood still and was taken for dead: what was noted of it on the way is charged, or nothing.
        if (purchase.IsStream && hold is not null and not { Status: "settled", Outcome: (long)HoldOutcome.Delivered } && (world.Store is not null || world.DiskFailed))
        {
            if (world.Script is not null) promised[receipt] = told.Body; // this process lives, and knows that it was delivered
            return;
        }
        if (purchase.Repeatable && purchase.Answers.Count > 0 && !IsSame(purchase, purchase.Answers[0], told)) world.Broken($"I3: one payment bought two answers: {purchase.Answers[0].Body}, {told.Body}");
        purchase.Answers.Add(told);
        if (purchase.Repeatable) promised[receipt] = told.Body;
        if (hold?.Status != "settled") world.Broken($"I6: an answer left under {receipt}, whose hold is {hold?.Status ?? "not there"}");
    }

    private static bool IsSame(Purchase purchase, Told first, Told now) => purchase.BuysToken ? TokenOf(first) == TokenOf(now) : first.Body == now.Body;

    private static string? TokenOf(Told told) => told.Json.TryGetProperty("token", out var text) ? text.GetString() : null;

    private bool HasRefunds => world.Has(Parts.Operator) || world.Script is not null;

    public async Task<long> OpenAsync()
    {
        if (world.AnyUp() is null) return 1;
        var open = 0;
        foreach (var state in await HoldsAsync())
            if (state.IsOpen || state is { Status: HoldStatus.Settled, Outcome: HoldOutcome.Open }) open++;
        if (world.Has(Parts.Buying)) open += (await Resale.PurchasesAsync(world.AnyUp()!, await HoldsAsync())).Count(state => state.IsOpen || state is { Status: HoldStatus.Settled, Outcome: HoldOutcome.Open });
        if (world.Consent is { } consent && await consent.IsOpenAsync(world.AnyUp()!)) open++;
        if (HasRefunds) open += (await RefundsAsync()).Count(state => state.IsOpen || state is { Status: HoldStatus.Settled, Outcome: HoldOutcome.Open });
        return open;
    }

    /// <summary>The storm is over and all is quiet: now everything must be true.</summary>
    public async Task ReckonAsync()
    {
        foreach (var down in world.Nodes.Where(n => !n.Up)) world.Broken($"{down.Name} did not come up again");
        if (world.AnyUp() is not { } node) return;
        var holds = await HoldsAsync();
        foreach (var state in holds) Ended(state);
        var refunds = HasRefunds ? await RefundsAsync() : [];
        foreach (var state in refunds) Returned(state, holds, refunds);
        foreach (var given in world.Stripe.Refunded)
            if (refunds.SingleOrDefault(r => r.Hold.Receipt == given.Name) is not { Status: HoldStatus.Settled } booked || booked.Captured.Units != given.Amount * 10_000_000) world.Broken($"Stripe gave back {given} and the books do not say so");
        foreach (var payer in payers.Keys) await ReckonAsync(node, payer, holds, refunds);
        if (world.Has(Parts.Buying)) await new Resale(world).ReckonAsync(node, holds);
        if (world.Consent is { } consent) await consent.ReckonAsync(node, holds, refunds);
        await new Till(world, promised).ReckonAsync(node, holds, refunds);
        foreach (var (challenge, _) in world.Stripe.Charged)
            if (holds.FirstOrDefault(h => h.Hold.Id == "stripe:" + challenge)?.Status != HoldStatus.Settled) world.Broken($"Stripe charged {challenge} and the books do not say so");
        foreach (var (receipt, _) in promised)
            if (holds.FirstOrDefault(h => h.Hold.Receipt == receipt) is not { Status: HoldStatus.Settled, Outcome: HoldOutcome.Delivered }) world.Broken($"I10: the answer under {receipt} was given and the books do not say so");
        await BooksAsync();
    }

    /// <summary>The books and the trail, recounted.</summary>
    public Task BooksAsync()
    {
        if (world.AnyUp() is not { } node) return Task.CompletedTask;
        // What VerifyAsync does, on this thread.
        var database = node.Of<Database>();
        foreach (var finding in Now(database.ReadAsync(sql => CheckStore.Run(sql, CancellationToken.None), CancellationToken.None)).Findings) world.Broken("the books: " + finding);
        var trail = Now(database.ReadAsync(sql => new AuditCheck([], new JwkSet([])).Run(AuditStore.All(sql), AuditStore.Heads(sql), [], CancellationToken.None), CancellationToken.None)); // nothing is signed in this world
        if (!trail.Intact) world.Broken("I9: " + trail.Broken);
        return Task.CompletedTask;
    }

    private void Ended(HoldState state)
    {
        var id = state.Hold.Id;
        if (state.IsOpen) world.Broken($"I5: {id} is still {state.Status}");
        if (state.Status == HoldStatus.Released && !state.Captured.IsZero) world.Broken($"I4: {id} is released and kept {state.Captured}");
        if (state.Status != HoldStatus.Settled) return;
        if (state.Outcome == HoldOutcome.Open) world.Broken($"I5: nobody knows what became of {id}");
        if (state.Captured > state.Hold.Ceiling) world.Broken($"I4: {id} took {state.Captured} of {state.Hold.Ceiling}");
        if (state.Outcome != HoldOutcome.Delivered) return;
        var finished = world.Upstream.Executions.Exists(e => e.Receipt == state.Hold.Receipt && e.Finished);
        var left = world.Payers.Any(p => p.Purchases.Any(u => u.Left));
        if (!finished && !left && !Till.IsStream(state) && !Till.IsSale(state) && !Resale.IsResale(state)) world.Broken($"I7: {id} is charged and nothing was delivered");
        if (id.StartsWith("stripe:", StringComparison.Ordinal) && !world.Stripe.Charged.ContainsKey(id["stripe:".Length..])) world.Broken($"{id} is settled and Stripe never charged it");
    }

    /// <summary>What went back has ended, was never more than what had been taken, and the rail says the same.</summary>
    private void Returned(HoldState state, IReadOnlyList<HoldState> holds, IReadOnlyList<HoldState> refunds)
    {
        var id = state.Hold.Id;
        if (state.IsOpen || state is { Status: HoldStatus.Settled, Outcome: HoldOutcome.Open }) world.Broken($"I5: {id} is still {state.Status}");
        if (state.Status != HoldStatus.Settled) return;
        if (state.Hold.Method == "refund.stripe" && !world.Stripe.Refunded.Any(r => r.Name == state.Hold.Receipt)) world.Broken($"{id} is settled and Stripe never gave it back");
        var of = RefundTerms.From(state)!.Of;
        var all = refunds.Where(r => r.Status == HoldStatus.Settled && RefundTerms.From(r)!.Of == of).Sum(r => r.Captured.Units);
        if (all > holds.Single(h => h.Hold.Receipt == of).Captured.Units) world.Broken($"{all} of {of} was given back, more than was taken");
    }

    private async Task ReckonAsync(Node node, Payer payer, IReadOnlyList<HoldState> holds, IReadOnlyList<HoldState> refunds)
    {
        var (token, rich) = payers[payer];
        var settled = holds.Where(h => h.Hold.Payer == payer.Wallet.Account && h.Hold.Method is "x402.exact" or "mpp.evm" && h.Status == HoldStatus.Settled).ToList();
        // What others sent when the gateway had let it go, or had never seen it, is not the gateway's doing.
        var given = payer.GivenAway.Where(sent => settled.TrueForAll(h => UsedKey(h) != sent.Key)).Aggregate((UInt128)0, (sum, sent) => sum + sent.Value);
        var paid = rich - world.Chain.Token.Balances[payer.Wallet.Address] - given;
        foreach (var state in settled)
            if (!world.Chain.Token.Used.Contains(UsedKey(state))) world.Broken($"{state.Hold.Id} is settled and the chain has not seen it");
        var booked = settled.Aggregate((UInt128)0, (sum, h) => sum + (UInt128)(h.Captured.Units / 1000));
        var mine = refunds.Where(r => r.Hold.Payer == payer.Wallet.Account && r.Status == HoldStatus.Settled).ToList();
        booked -= mine.Where(r => r.Hold.Method == "refund.evm").Aggregate((UInt128)0, (sum, r) => sum + (UInt128)(r.Captured.Units / 1000));
        if (booked != paid) world.Broken($"the chain took {paid} of {payer.Wallet.Account}, the books say {booked}");
        var credit = await node.Of<ILedger>().AvailableAsync(Undelivered.Account(payer.Wallet.Account), "USD", CancellationToken.None);
        var delivered = holds.Where(h => h.Hold.Payer == payer.Wallet.Account && h.Outcome == HoldOutcome.Delivered).Sum(h => h.Captured.Units) - mine.Where(OfRevenue).Sum(r => r.Captured.Units);
        if ((long)paid * 1000 != delivered + credit.Units) world.Broken($"{payer.Wallet.Account} paid {paid}000, was given {delivered} and has {credit.Units} of credit");
        await SpentAsync(node, token, holds, refunds);
    }

    /// <summary>A token's budget is exact: what it was, less what was delivered.</summary>
    private static bool OfRevenue(HoldState refund) => refund.Hold.Legs[0].From.StartsWith("refunded:", StringComparison.Ordinal);

    private async Task SpentAsync(Node node, Token token, IReadOnlyList<HoldState> holds, IReadOnlyList<HoldState> refunds)
    {
        var bought = holds.Where(h => h.Hold.Payer == token.Account && h is { Status: HoldStatus.Settled, Outcome: HoldOutcome.Delivered }).ToList();
        var left = await node.Of<ILedger>().AvailableAsync(token.Account, "USD", CancellationToken.None);
        if (left.Units != token.Budget.Units - bought.Sum(h => h.Captured.Units) + refunds.Where(r => r.Hold.Payer == token.Account && r.Status == HoldStatus.Settled && OfRevenue(r)).Sum(r => r.Captured.Units)) world.Broken($"{token.Account} had {token.Budget}, bought {bought.Count} answers and has {left}");
        if (token.Calls is not { } calls) return;
        var callsLeft = await node.Of<ILedger>().AvailableAsync(token.Account, Token.CallsCurrency, CancellationToken.None);
        if (callsLeft.Units != calls - bought.Count) world.Broken($"{token.Account} had {calls} calls, bought {bought.Count} answers and has {callsLeft}");
    }

    private void Moved(Row now)
    {
        if (known.TryGetValue(now.Id, out var before) && before != now && !MayBecome(before, now)) world.Broken($"I3: {before} became {now}");
        known[now.Id] = now;
    }

    private static bool MayBecome(Row before, Row now) => (before.Status, now.Status) switch
    {
        ("held", _) => true,
        ("captured", not "held") => now.Captured == before.Captured || now.Status == "released",
        ("unknown", "unknown" or "settled" or "released") => now.Captured == before.Captured || now.Status == "released",
        ("settled", "settled") => now.Captured == before.Captured && now.Reference == before.Reference && (before.Outcome == 0 || before.Outcome == now.Outcome),
        ("released", "held" or "settled" or "captured" or "unknown" or "released") => true,
        _ => false,
    };

    public static string UsedKey(HoldState state)
    {
        var parts = state.Hold.Id.Split(':');
        return parts[^2].ToLowerInvariant() + parts[^1].ToLowerInvariant();
    }

    private async Task<IReadOnlyList<HoldState>> HoldsAsync() => await world.AnyUp()!.Of<ILedger>().ListAsync(new HoldFilter { Most = 10_000 }, CancellationToken.None);

    private async Task<IReadOnlyList<HoldState>> RefundsAsync() => await world.AnyUp()!.Of<ILedger>().ListAsync(new HoldFilter { Most = 10_000, Refunds = true }, CancellationToken.None);

    private static T Now<T>(ValueTask<T> read) => read.IsCompleted ? read.GetAwaiter().GetResult() : throw new InvalidOperationException("A read was not done at once.");

    /// <summary>A hold as a batch left it.</summary>
    private sealed record Row(string Id, string Receipt, string Status, long Outcome, long Captured, string? Reference);
}
