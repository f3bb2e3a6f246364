using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Tokens;

namespace Turnpike.Admin;

/// <summary>Decimal text, so that no reader's floating point gets near it.</summary>
internal sealed record MoneyView(string Amount, string Currency)
{
    public static MoneyView Of(Money money) => new(money.ToDecimal(), money.Currency);
}

/// <summary>A rate: <c>5 requests</c> per <c>1m</c>.</summary>
internal sealed record RateView(string Amount, string Per);

/// <summary>A prepaid token and what is left of it.</summary>
internal sealed record TokenView
{
    public required string Id { get; init; }

    /// <summary>The text its holder presents; recomputed, never stored, and not part of lists.</summary>
    public string? Token { get; init; }

    /// <summary><c>active</c>, <c>frozen</c>, <c>revoked</c>, or <c>expired</c>.</summary>
    public required string Status { get; init; }

    public required MoneyView Budget { get; init; }

    public required MoneyView Left { get; init; }

    public long? Calls { get; init; }

    public long? CallsLeft { get; init; }

    public MoneyView? PerCall { get; init; }

    /// <summary>The operations it opens; empty: all.</summary>
    public required IReadOnlyList<string> Operations { get; init; }

    public RateView? Rate { get; init; }

    public DateTimeOffset? Expires { get; init; }

    public string? Note { get; init; }

    public required DateTimeOffset Created { get; init; }

    public static async ValueTask<TokenView> OfAsync(Token token, TokenDesk desk, string? text, DateTimeOffset now, CancellationToken ct)
    {
        var (money, calls) = await desk.LeftAsync(token, ct);
        return new TokenView
        {
            Id = token.Id,
            Token = text,
            Status = token.Status == TokenStatus.Active && token.Expires <= now ? "expired" : token.Status.ToString().ToLowerInvariant(),
            Budget = MoneyView.Of(token.Budget),
            Left = MoneyView.Of(money),
            Calls = token.Calls,
            CallsLeft = calls,
            PerCall = token.PerCall is { } cap ? MoneyView.Of(cap) : null,
            Operations = token.Operations,
            Rate = token.Rate is { } rate ? new RateView($"{rate.Amount} requests", $"{(long)rate.Per.TotalSeconds}s") : null,
            Expires = token.Expires,
            Note = token.Note,
            Created = token.Created,
        };
    }
}

/// <summary>Tokens, newest first.</summary>
/// <param name="Next">Give it as <c>before</c> for the next page; null at the end.</param>
internal sealed record TokenList(IReadOnlyList<TokenView> Tokens, string? Next);

/// <summary>A payment as it stands in the books.</summary>
internal sealed record PaymentView
{
    /// <summary>The hold: named by what the rail spends once.</summary>
    public required string Id { get; init; }

    public required string Receipt { get; init; }

    /// <summary><c>held</c>, <c>captured</c>, <c>unknown</c>, <c>settled</c> or <c>released</c>.</summary>
    public required string Status { get; init; }

    /// <summary>What became of the answer paid for: <c>open</c>, <c>delivered</c> or <c>credited</c>.</summary>
    public required string Outcome { get; init; }

    public required string Operation { get; init; }

    public required string Request { get; init; }

    public required MoneyView Ceiling { get; init; }

    public required MoneyView Captured { get; init; }

    public required string Payer { get; init; }

    public string? Caller { get; init; }

    public required string Method { get; init; }

    /// <summary>The rail's name for it: a transaction hash, a PaymentIntent.</summary>
    public string? Reference { get; init; }

    /// <summary>What the rail moved, in its own units.</summary>
    public string? RailAmount { get; init; }

    public required string PriceVersion { get; init; }

    public required string Correlation { get; init; }

    /// <summary>Why it was released.</summary>
    public string? Note { get; init; }

    public DateTimeOffset? Expires { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required DateTimeOffset Changed { get; init; }

    public static PaymentView Of(HoldState state) => new()
    {
        Id = state.Hold.Id,
        Receipt = state.Hold.Receipt,
        Status = HoldRow.Text(state.Status),
        Outcome = state.Outcome.ToString().ToLowerInvariant(),
        Operation = state.Hold.Operation,
        Request = state.Hold.Request,
        Ceiling = MoneyView.Of(state.Hold.Ceiling),
        Captured = MoneyView.Of(state.Captured),
        Payer = state.Hold.Payer,
        Caller = state.Hold.Caller,
        Method = state.Hold.Method,
        Reference = state.Reference,
        RailAmount = state.RailAmount,
        PriceVersion = state.Hold.PriceVersion,
        Correlation = state.Hold.Correlation,
        Note = state.Note,
        Expires = state.Hold.Expires,
        Created = state.Created,
        Changed = state.Changed,
    };
}

/// <summary>Payments, newest first.</summary>
/// <param name="Next">Give it as <c>before</c> for the next page; null at the end.</param>
internal sealed record PaymentList(IReadOnlyList<PaymentView> Payments, string? Next);

/// <summary>All of one payment's story: the row, and every decision of its correlation from the first 402 on.</summary>
internal sealed record PaymentStory(PaymentView Payment, IReadOnlyList<EventView> Events);

/// <summary>One link of the audit trail.</summary>
internal sealed record EventView(long Sequence, DateTimeOffset Time, string Kind, string Correlation, string? Reason, string? Operation, string? Caller, string? Payer, string? Address,
    string? Request, string? Method, string? Amount, string? Reference, string? Detail, string Hash)
{
    public static EventView Of(AuditRecord record) => new(record.Sequence, record.Time, record.Event.Kind, record.Event.Correlation, record.Event.Reason, record.Event.Operation, record.Event.Caller,
        record.Event.Payer, record.Event.Address, record.Event.Request, record.Event.Method, record.Event.Amount, record.Event.Reference, record.Event.Detail, record.Hash);
}

/// <summary>Events in order.</summary>
/// <param name="Next">Give it as <c>after</c> for the next page; null at the end.</param>
internal sealed record EventList(IReadOnlyList<EventView> Events, long? Next);

/// <summary>Whether the audit chain holds, and the first event where it does not.</summary>
internal sealed record AuditView(bool Intact, long Events, string Head, long? BrokenAt, string? Finding)
{
    public static AuditView Of(AuditReport report) => new(report.Intact, report.Events, report.Head, report.BrokenAt, report.Finding);
}

/// <summary>The sum of all accounts of one role in one currency.</summary>
internal sealed record TotalView(string Role, string Amount, string Currency);

/// <summary>What the books add up to, and every finding as a sentence.</summary>
internal sealed record BooksView(bool Balanced, IReadOnlyList<TotalView> Totals, long Holds, long OpenHolds, long Entries, IReadOnlyList<string> Findings)
{
    public static BooksView Of(BooksReport report) => new(report.Balanced, [.. report.Totals.Select(t => new TotalView(t.Role, t.Sum.ToDecimal(), t.Sum.Currency))], report.Holds, report.OpenHolds, report.Entries, report.Findings);
}

/// <summary>A receipt, as its holder sees it at <c>/receipts/{id}</c>.</summary>
internal sealed record ReceiptView(string Id, string Status, string Operation, string Request, MoneyView Amount, string Payer, string Method, string? Reference, string? RailAmount,
    string PriceVersion, string Correlation, DateTimeOffset Time, DateTimeOffset Changed, bool? Sandbox);
