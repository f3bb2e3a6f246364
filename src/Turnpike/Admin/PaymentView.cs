using Turnpike.Admin.Support;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Payments.Buying;

namespace Turnpike.Admin;

/// <summary>A payment as it stands in the books.</summary>
internal sealed record PaymentView
{
    /// <summary>The hold: named by what the rail spends once.</summary>
    public required string Id { get; init; }

    public required string Receipt { get; init; }

    /// <summary><c>held</c>, <c>captured</c>, <c>unknown</c>, <c>settled</c> or <c>released</c>.</summary>
    public required string Status { get; init; }

    /// <summary>What became of the answer paid for: <c>open</c>, <c>delivered</c> or <c>credited</c>; <c>none</c> where it was released before.</summary>
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

    /// <summary>For what was paid to an upstream: the receipt of the call it was for.</summary>
    public string? PaidFor { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required DateTimeOffset Changed { get; init; }

    /// <summary>While it is open: how long it has been, in whole seconds.</summary>
    public long? Age { get; init; }

    public static PaymentView Of(HoldState state, DateTimeOffset now) => new()
    {
        Id = state.Hold.Id,
        Receipt = state.Hold.Receipt,
        Status = HoldRow.Text(state.Status),
        Outcome = state is { Status: HoldStatus.Released, Outcome: HoldOutcome.Open } ? "none" : state.Outcome.ToString().ToLowerInvariant(),
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
        PaidFor = PurchaseTerms.From(state)?.For,
        Created = state.Created,
        Changed = state.Changed,
        Age = state.IsOpen ? (long)(now - state.Created).TotalSeconds : null,
    };
}

/// <summary>Payments, newest first.</summary>
/// <param name="Next">Give it as <c>before</c> for the next page; null at the end.</param>
internal sealed record PaymentList(IReadOnlyList<PaymentView> Payments, string? Next);

/// <summary>All of one payment's story: the row, what its upstream was paid in turn, what was given back of it, and every decision of its correlation from the first 402 on.</summary>
internal sealed record PaymentStory(PaymentView Payment, PaymentView? Upstream, IReadOnlyList<RefundView> Refunds, IReadOnlyList<EventView> Events)
{
    /// <summary>By hold or receipt; null when there is no such payment.</summary>
    public static async ValueTask<PaymentStory?> FindAsync(ILedger ledger, IAuditTrail audit, string id, DateTimeOffset now, CancellationToken ct)
    {
        if ((await ledger.FindAsync(id, ct) ?? await ledger.FindByReceiptAsync(id, ct)) is not { } state) return null;
        var events = await audit.ReadAsync(new AuditFilter(Correlation: state.Hold.Correlation, Most: 500), ct);
        var bought = await ledger.FindAsync(Hold.PurchasePrefix + state.Hold.Receipt, ct);
        return new PaymentStory(PaymentView.Of(state, now), bought is null ? null : PaymentView.Of(bought, now), state.Hold.IsRefund ? [] : await RefundView.OfAsync(ledger, state, ct), [.. events.Select(EventView.Of)]);
    }
}

/// <summary>A receipt, as its holder sees it at <c>/receipts/{id}</c>.</summary>
internal sealed record ReceiptView(string Id, string Status, string Operation, string Request, MoneyView Amount, string Payer, string Method, string? Reference, string? RailAmount,
    string PriceVersion, string Correlation, DateTimeOffset Time, DateTimeOffset Changed, bool? Sandbox, string? RefundOf, string? Signed);
