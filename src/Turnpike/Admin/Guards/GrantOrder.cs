using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Plans.Grants;

namespace Turnpike.Admin.Guards;

/// <summary>What to give a caller.</summary>
/// <param name="Id">The billing system's own id of it: the same id gives it once.</param>
/// <param name="Amount"><c>100 requests</c>, <c>1000000 total_tokens</c>, <c>5.00 USD</c>.</param>
/// <param name="Kind"><c>plan</c> (unless said): on top of what its plan includes; <c>paid</c> or <c>promotional</c>: money of its own.</param>
/// <param name="Priority">Of money, 0 to 1000: the lower, the sooner it is spent; 100 unless said.</param>
/// <param name="Expires">Of money: what is unused then is removed. Or <paramref name="Valid"/>, <c>90d</c>; left out: never.</param>
internal sealed record GrantBody(string Id, string Amount, string? Note = null, string? Kind = null, int? Priority = null, DateTimeOffset? Expires = null, string? Valid = null);

/// <summary>An order that was understood.</summary>
/// <param name="Grant">Null: on top of a plan.</param>
internal sealed record GrantOrder(Money Amount, Grant? Grant)
{
    private const int MostId = 255, MostNote = 500;

    /// <summary>The order, or a sentence saying what is wrong with it.</summary>
    public static (GrantOrder? Order, string Error) Read(string caller, GrantBody body, DateTimeOffset now)
    {
        if (body.Id is not { Length: > 0 and <= MostId } || !body.Id.All(c => c is >= ' ' and <= '~')) return (null, $"id: 1 to {MostId} characters of printable ASCII that name this grant.");
        if (!Money.TryParse(body.Amount, out var amount) || amount.IsZero) return (null, "amount: write an amount above zero, such as 100 requests or 5.00 USD.");
        if (body.Note?.Length > MostNote) return (null, $"note: at most {MostNote} characters.");
        if (body.Kind is null or "plan") return body is { Priority: null, Expires: null, Valid: null } ? (new GrantOrder(amount, null), "") : (null, "priority, expires and valid are of money: give a kind, paid or promotional.");
        if (body.Kind is not ("paid" or "promotional")) return (null, "kind: plan, paid or promotional.");
        if (!Money.IsMoney(amount.Currency)) return (null, "amount: a balance is money, such as 5.00 USD.");
        if (!Organisation.IsHolder(caller) && OperationSection.CheckName(caller) is { } wrong) return (null, $"the caller's name {wrong}.");
        if (body.Priority is < 0 or > Grant.MostPriority) return (null, $"priority: from 0 to {Grant.MostPriority}.");
        var valid = TimeSpan.Zero;
        if (body.Valid is not null && (body.Expires is not null || !Shapes.TryDuration(body.Valid, out valid))) return (null, "valid: write 30s, 5m, 1h, 1d or 1mo, or give expires instead.");
        var expires = body.Valid is null ? body.Expires : now + valid;
        if (expires <= now) return (null, "expires: a moment to come, such as 2027-01-31T00:00:00Z.");
        var kind = body.Kind == "paid" ? GrantKind.Paid : GrantKind.Promotional;
        return (new GrantOrder(amount, new Grant(caller, body.Id, kind, amount) { Priority = body.Priority ?? Grant.UsualPriority, Expires = expires, Note = body.Note, ByLength = body.Valid is not null }), "");
    }
}
