using System.Diagnostics;
using Turnpike.Audit;

namespace Turnpike.Ledger;

/// <summary>
/// The deciding core, pure and in memory: who may hold, what a capture moves, what a release gives back. The model in the tests
/// keeps everything in it; <see cref="SqlLedger"/> loads what a batch needs, decides here, and writes what changed. Every verb
/// changes all or nothing; a <see cref="LedgerException"/> means nothing.
/// </summary>
/// <param name="entered">The sum of an account's entries that are no longer in <see cref="Changes"/>; asked when it gets a balance.</param>
/// <param name="late">A hold that another node wrote since the holds were loaded; null where nobody else writes.</param>
internal sealed class Books(string incarnation, Func<AccountKey, long> entered, Func<string, HoldState?>? late = null)
{
    private readonly Dictionary<string, BookedHold> holds = [];
    private readonly Dictionary<string, Transfer> transfers = [];

    /// <summary>Whose new holds are.</summary>
    public string Incarnation { get; set; } = incarnation;

    public Balances Balances { get; } = new();

    /// <summary>What is not in the database yet.</summary>
    public Changes Changes { get; } = new();

    /// <summary>The time of every change until it is set again.</summary>
    public DateTimeOffset Now { get; set; }

    /// <summary>The last sequence given to a hold.</summary>
    public long LastHold { get; set; }

    /// <summary>The last sequence given to an entry.</summary>
    public long LastEntry { get; set; }

    public IEnumerable<HoldState> Holds => holds.Values.Select(hold => hold.State);

    public int HoldCount => holds.Count;

    public bool Knows(string hold) => holds.ContainsKey(hold);

    public void Load(HoldState state) => holds[state.Hold.Id] = new BookedHold(state, stored: true);

    public void Load(Transfer transfer) => transfers[transfer.Id] = transfer;

    public HoldState? Find(string id) => holds.GetValueOrDefault(id)?.State;

    public HoldResult Hold(Hold hold)
    {
        Legs.Check(hold);
        var known = holds.GetValueOrDefault(hold.Id);
#if TURNPIKE_SABOTAGE
        if (!Storage.Sabotage.Of("single-use"))
#endif
        if (known is not null && (known.State.Status != HoldStatus.Released || known.State.Hold.Binding != hold.Binding)) return new HoldResult.AlreadyUsed(known.State);

        foreach (var raise in hold.Raises) Raise(raise);
        hold = WithLimits(hold);
        // While the accounts were waited for, another node may have held this very proof, and what is missing is missing for it.
        if ((Spread(ref hold, out var left) ?? Reserve(hold)) is { } refused) return known is null && late?.Invoke(hold.Id) is { Status: not HoldStatus.Released } since ? new HoldResult.AlreadyUsed(since) : refused;
        var zero = Money.Zero(hold.Ceiling.Currency);
        var state = new HoldState(hold, HoldStatus.Held, zero, zero, null, null, null, null, known?.State.Sequence ?? ++LastHold, Incarnation, Now, Now) { Left = left, Accounts = AccountsOf(hold) };
        var again = known is not null;
        if (known is null) holds[hold.Id] = known = new BookedHold(state, stored: false);
        else known.Retaken = known.Stored;
        return new HoldResult.Held(Set(known, state, hold.Events), again);
    }

    /// <summary>What a crash would be charged for; only ever more, at most the ceiling. Nothing when the hold is no longer held.</summary>
    public bool Checkpoint(string id, Money observed)
    {
        var hold = Get(id);
        if (observed.Currency != hold.State.Observed.Currency) throw Wrong(hold, $"observe {observed}");
        var capped = observed > hold.State.Hold.Ceiling ? hold.State.Hold.Ceiling : observed;
        if (hold.State.Status != HoldStatus.Held || capped <= hold.State.Observed) return false;
        Set(hold, hold.State with { Observed = capped, Changed = Now }, []);
        return true;
    }

    /// <summary>Again with the same amount answers as before; a new <see cref="Capture.Broadcast"/> then replaces the old (a fee was raised).</summary>
    public HoldState Capture(Capture capture)
    {
        var hold = Get(capture.Id);
        var state = hold.State;
        // Fencing: this process slept through its lease, its hold was given back, and whoever presented the proof next has one of their own.
        if (capture.HeldBy is { } holder && (state.Status == HoldStatus.Released || state.Incarnation != holder)) throw new HoldLostException(capture.Id);
        if (state.Status != HoldStatus.Held) return CaptureAgain(hold, capture);
        var ceiling = state.Hold.Ceiling;
        if (capture.Amount.Currency != ceiling.Currency || capture.Amount.Units < 0 || capture.Amount > ceiling) throw new LedgerException($"Hold {capture.Id}: {capture.Amount} cannot be taken of {ceiling}.");

        Balances.Drop();
        var legs = state.Hold.Legs;
        for (var i = 0; i < legs.Count; i++) Try(legs[i], Legs.Moves(legs, i, capture.Amount.Units), legs[i].Limited ? legs[i].Amount.Units : 0, capture.Id);
        Balances.Keep();
        for (var i = 0; i < legs.Count; i++) Enter(legs[i].Giver(), legs[i].Taker(), Legs.Moves(legs, i, capture.Amount.Units), capture.Id, "capture");
        Post(capture.Besides);
        return Set(hold, state with
        {
            Status = capture.Reference is null ? HoldStatus.Captured : HoldStatus.Settled,
            Outcome = capture is { Delivered: true, Reference: not null } ? HoldOutcome.Delivered : state.Outcome,
            Captured = capture.Amount,
            Reference = capture.Reference,
            Broadcast = capture.Broadcast,
            RailAmount = capture.RailAmount,
            Changed = Now,
            Left = legs[0] is { Limited: true, Part: false } ? Available(legs[0].From, ceiling.Currency) : null,
            Accounts = AccountsOf(state.Hold),
        }, capture.Events);
    }

    public HoldState Settled(string id, string reference, string? railAmount, IReadOnlyList<AuditEvent> events)
    {
        var hold = Get(id);
        if (hold.State.Status == HoldStatus.Settled && hold.State.Reference == reference) return hold.State;
        if (hold.State.Status is not (HoldStatus.Captured or HoldStatus.Unknown)) throw Wrong(hold, $"be settled by {reference}");
        return Set(hold, hold.State with { Status = HoldStatus.Settled, Reference = reference, RailAmount = railAmount ?? hold.State.RailAmount, Changed = Now }, events);
    }

    /// <summary>The first word stands: what was delivered is not credited, and what was credited is not delivered afterwards.</summary>
    public HoldState Finish(string id, HoldOutcome outcome, IReadOnlyList<AuditEvent> events)
    {
        var hold = Get(id);
        if (hold.State.Outcome != HoldOutcome.Open || outcome == HoldOutcome.Open) return hold.State;
        if (hold.State.Status != HoldStatus.Settled) throw Wrong(hold, $"be {outcome}");
        return Set(hold, hold.State with { Outcome = outcome, Changed = Now }, events);
    }

    /// <summary>What was taken and not delivered goes back. Nothing when its outcome is known: nobody has both the answer and its price.</summary>
    public HoldState Credit(string id, IReadOnlyList<Transfer> back)
    {
        var state = Get(id).State;
        if (state.Outcome != HoldOutcome.Open) return state;
        if (state.Status != HoldStatus.Settled) throw Wrong(Get(id), "be given back");
        Post(back);
        return Finish(id, HoldOutcome.Credited, []);
    }

    /// <summary>Nothing when it is settled or released by now: somebody else knew better.</summary>
    public HoldState Unknown(string id, string? reference, IReadOnlyList<AuditEvent> events)
    {
        var hold = Get(id);
        var state = hold.State;
        if (state.Status is HoldStatus.Settled or HoldStatus.Released || state.Status == HoldStatus.Unknown && (reference is null || reference == state.Reference)) return state;
        if (state.Status is not (HoldStatus.Captured or HoldStatus.Unknown)) throw Wrong(hold, "become unknown");
        return Set(hold, state with { Status = HoldStatus.Unknown, Reference = reference ?? state.Reference, Changed = Now }, events);
    }

    /// <summary>Gives back what was reserved; what was captured is reversed by new entries. Settled money is given back by a transfer.</summary>
    public HoldState Release(string id, string reason, IReadOnlyList<AuditEvent> events, string? heldBy = null)
    {
        var hold = Get(id);
        var state = hold.State;
        if (state.Status == HoldStatus.Released) return state;
        // Fencing: its heir has marked it unknown before it asked the rail, and knows better by now.
        if (heldBy is not null && (state.Incarnation != heldBy || state.Status is HoldStatus.Unknown or HoldStatus.Settled)) return state;
        if (state.Status == HoldStatus.Settled) throw Wrong(hold, "be released");
#if TURNPIKE_SABOTAGE
        if (Storage.Sabotage.Of("release")) return state;
#endif

        Balances.Drop();
        var legs = state.Hold.Legs;
        for (var i = 0; i < legs.Count; i++)
        {
            if (state.Status != HoldStatus.Held) TryBack(legs[i], Legs.Moves(legs, i, state.Captured.Units), id);
            else if (legs[i].Limited) Balances.Try(legs[i].Giver(), 0, -legs[i].Amount.Units);
        }
        Balances.Keep();
        if (state.Status != HoldStatus.Held)
            for (var i = 0; i < legs.Count; i++) Enter(legs[i].Taker(), legs[i].Giver(), Legs.Moves(legs, i, state.Captured.Units), id, "reverse");
        return Set(hold, state with { Status = HoldStatus.Released, Captured = Money.Zero(state.Captured.Currency), Note = reason, Changed = Now }, events);
    }

    public PostResult Post(Transfer transfer)
    {
        var (giver, taker) = (new AccountKey(transfer.From, transfer.Amount.Currency), new AccountKey(transfer.To, transfer.Amount.Currency));
        if (transfer.Amount.Units < 0 || giver == taker) throw new LedgerException($"Transfer {transfer.Id}: nothing moves {transfer.Amount} from {transfer.From} to {transfer.To}.");
        if (transfers.TryGetValue(transfer.Id, out var known)) return Same(known, transfer) ? PostResult.Existed : PostResult.Conflict;

        Balances.Drop();
        var missing = transfer.LimitedFrom && transfer.Amount.Units > 0 && (!Balances.TryGet(giver, out var has) || has.Available < checked(transfer.Amount.Units + transfer.Leaves));
        if (missing || !Balances.Try(giver, -transfer.Amount.Units, 0))
        {
            Balances.Drop();
            return PostResult.InsufficientFunds;
        }
        if (transfer.LimitedTo) Open(taker);
        Balances.Try(taker, transfer.Amount.Units, 0);
        Balances.Keep();
        Enter(giver, taker, transfer.Amount.Units, transfer.Id, "transfer");
        transfers[transfer.Id] = transfer;
        Changes.Transfers.Add(transfer);
        Changes.Events.AddRange(transfer.Events);
        return PostResult.Posted;
    }

    // As part of another act: what cannot be posted undoes that too, because this is no answer of the books.
    private void Post(IReadOnlyList<Transfer> transfers)
    {
        foreach (var transfer in transfers)
            if (Post(transfer) is var posted and not (PostResult.Posted or PostResult.Existed)) throw new UnreachableException($"{transfer.Id}: {posted}");
    }

    private void Raise(Raise raise)
    {
        var (giver, taker) = (new AccountKey(raise.From, raise.To.Currency), new AccountKey(raise.Account, raise.To.Currency));
        Open(taker);
        if (!Balances.TryGet(taker, out var balance)) return;
        var more = raise.To.Units - balance.Raised;
        if (more < 0) more = raise.Exact ? -Math.Min(-more, balance.Available) : 0;
        if (more == 0) return;
        Balances.Drop();
        Balances.Try(taker, more, 0);
        Balances.Keep();
        balance.Raised += more;
        var amount = raise.To with { Units = Math.Abs(more) };
        // What is brought down may be brought up to the same again: then the amount names it no longer.
        var id = raise.Exact ? $"raise:{raise.Account}:{raise.To}:{LastEntry + 1}" : $"raise:{raise.Account}:{raise.To}";
        var transfer = more > 0 ? new Transfer(id, raise.From, raise.Account, amount, "raise", LimitedFrom: false, LimitedTo: true) : new Transfer(id, raise.Account, raise.From, amount, "lower", LimitedFrom: true, LimitedTo: false);
        if (more > 0) Enter(giver, taker, more, id, "transfer");
        else Enter(taker, giver, -more, id, "transfer");
        Changes.Transfers.Add(transfer);
    }

    public Money Available(string account, string currency) =>
        new(Balances.TryGet(new AccountKey(account, currency), out var balance) ? balance.Available : 0, currency);

    /// <summary>What changed is in the database now.</summary>
    public void Saved()
    {
        Changes.Clear();
        Balances.Saved();
    }

    /// <summary>Forgets what this batch brought to its end, delivery included: it will hardly be asked for again, and can be loaded.</summary>
    public void DropFinished()
    {
        foreach (var hold in Changes.Holds)
            if (hold.State is { IsOpen: false, Status: not HoldStatus.Settled } or { Outcome: not HoldOutcome.Open })
                holds.Remove(hold.State.Hold.Id);
        transfers.Clear();
    }

    /// <summary>Forgets everything that was loaded or decided.</summary>
    public void Clear()
    {
        holds.Clear();
        transfers.Clear();
        Changes.Clear();
        Balances.Clear();
    }

    private static bool Same(Transfer a, Transfer b) => a.From == b.From && a.To == b.To && a.Amount == b.Amount && a.Reason == b.Reason;

    private static LedgerException Wrong(BookedHold hold, string verb) => new($"Hold {hold.State.Hold.Id} is {hold.State.Status} ({hold.State.Reference}) and cannot {verb}.");

    private BookedHold Get(string id) => holds.GetValueOrDefault(id) ?? throw new LedgerException($"There is no hold {id}.");

    // It may have moved money before anyone kept count: its balance begins with that.
    private void Open(AccountKey key)
    {
        if (Balances.TryGet(key, out _)) return;
        var before = entered(key);
        foreach (var entry in Changes.Entries)
            if (entry.Account == key)
                before = checked(before + entry.Units);
        if (before < 0) throw new LedgerException($"Account {key.Account} has given {new Money(-before, key.Currency)} without a limit and cannot have one now.");
        Balances.Open(key, before);
    }

    // An account with a balance is never overdrawn, whatever the leg says of it.
    private Hold WithLimits(Hold hold)
    {
        foreach (var leg in hold.Legs)
            if (!leg.Limited && Balances.TryGet(leg.Giver(), out _))
                return hold with { Legs = [.. hold.Legs.Select(each => each with { Limited = each.Limited || Balances.TryGet(each.Giver(), out _) })] };
        return hold;
    }

    /// <summary>Splits the money of a hold over those who give for it, in their order; here and not before, because what they have is known here.</summary>
    private HoldResult.InsufficientFunds? Spread(ref Hold hold, out Money? left)
    {
        left = null;
        if (hold.Sources.Count == 0) return null;
        var (money, missing, all) = (hold.Legs[0], hold.Ceiling.Units, 0L);
        List<Leg> parts = [];
        foreach (var source in hold.Sources)
        {
            var available = Available(source, money.Amount.Currency).Units;
            var units = Math.Min(available, missing);
            if (units > 0) parts.Add(money with { From = source, Amount = money.Amount with { Units = units }, Limited = true, Part = true });
            missing -= units;
            all = checked(all + available);
        }
        if (missing > 0) return new HoldResult.InsufficientFunds(money.From, money.Amount with { Units = all });
        left = money.Amount with { Units = all - money.Amount.Units };
        if (parts.Count == 1) parts[0] = parts[0] with { Part = false };
        if (parts.Count > 0) hold = hold with { Legs = [.. parts, .. hold.Legs.Skip(1)] };
        return null;
    }

    private HoldResult.InsufficientFunds? Reserve(Hold hold)
    {
        Balances.Drop();
        foreach (var leg in hold.Legs)
        {
            if (!leg.Limited || leg.Amount.IsZero) continue;
            if (Balances.TryGet(leg.Giver(), out var balance) && Balances.Try(leg.Giver(), 0, leg.Amount.Units)) continue;
            Balances.Drop();
            return new HoldResult.InsufficientFunds(leg.From, new Money(balance?.Available ?? 0, leg.Amount.Currency));
        }
        Balances.Keep();
        return null;
    }

    /// <summary>By what its accounts were raised to, and not by what the hold raised them: that is not kept, and a hold that was read back raises nothing.</summary>
    private IReadOnlyList<AccountState?> AccountsOf(Hold hold)
    {
        AccountState?[]? all = null;
        for (var i = 0; i < hold.Legs.Count; i++)
        {
            var leg = hold.Legs[i];
            if (!leg.Limited || !Balances.TryGet(leg.Giver(), out var has) || has.Raised == 0) continue;
            (all ??= new AccountState?[hold.Legs.Count])[i] = new AccountState(leg.Amount with { Units = has.Available }, leg.Amount with { Units = has.Raised });
        }
        return all ?? [];
    }

    private HoldState CaptureAgain(BookedHold hold, Capture capture)
    {
        var state = hold.State;
        if (state.Status == HoldStatus.Released || state.Captured != capture.Amount) throw Wrong(hold, $"be captured for {capture.Amount}");
        if (state.Status == HoldStatus.Settled || capture.Broadcast is null || capture.Broadcast == state.Broadcast) return state;
        return Set(hold, state with { Broadcast = capture.Broadcast, RailAmount = capture.RailAmount ?? state.RailAmount, Changed = Now }, capture.Events);
    }

    private void Try(Leg leg, long units, long held, string id)
    {
        if (Balances.Try(leg.Giver(), -units, -held) && Balances.Try(leg.Taker(), units, 0)) return;
        Balances.Drop();
        throw new LedgerException($"Hold {id}: {leg.From} cannot give what was held of it.");
    }

    private void TryBack(Leg leg, long units, string id)
    {
        if (Balances.Try(leg.Taker(), -units, 0) && Balances.Try(leg.Giver(), units, 0)) return;
        Balances.Drop();
        throw new LedgerException($"Hold {id}: {leg.To} no longer has what it would give back.");
    }

    private void Enter(AccountKey giver, AccountKey taker, long units, string source, string kind)
    {
        if (units == 0) return;
        Changes.Entries.Add(new Entry(++LastEntry, giver, -units, source, kind, Now));
        Changes.Entries.Add(new Entry(++LastEntry, taker, units, source, kind, Now));
    }

    private HoldState Set(BookedHold hold, HoldState state, IReadOnlyList<AuditEvent> events)
    {
        hold.State = state;
        Changes.Add(hold);
        Changes.Events.AddRange(events);
        return hold.State;
    }
}
