using Turnpike.Audit;

namespace Turnpike.Admin;

/// <summary>One link of a node's audit trail.</summary>
/// <param name="Times">How often it happened; more than one only for refusals that said the same.</param>
internal sealed record EventView(string Node, long Sequence, DateTimeOffset Time, string Kind, string Correlation, string? Reason, string? Operation, string? Caller, string? Agent, string? OnBehalfOf, string? Payer, string? Address,
    string? Request, string? Method, string? Amount, string? Reference, string? Detail, long Times, string Hash)
{
    public static EventView Of(AuditRecord record) => new(record.Node, record.Sequence, record.Time, record.Event.Kind, record.Event.Correlation, record.Event.Reason, record.Event.Operation, record.Event.Caller,
        record.Event.Agent, record.Event.OnBehalfOf, record.Event.Payer, record.Event.Address, record.Event.Request, record.Event.Method, record.Event.Amount, record.Event.Reference, record.Event.Detail, record.Event.Times, record.Hash);
}

/// <summary>Events in order.</summary>
/// <param name="Next">Give it as <c>after</c> for the next page; null at the end.</param>
internal sealed record EventList(IReadOnlyList<EventView> Events, string? Next);

/// <summary>Whether every node's audit chain holds, and the first event where one does not.</summary>
internal sealed record AuditView(bool Intact, long Events, IReadOnlyList<AuditEnd> Chains, AuditBreak? Broken)
{
    public static AuditView Of(AuditReport report) => new(report.Intact, report.Events, report.Chains, report.Broken);
}
