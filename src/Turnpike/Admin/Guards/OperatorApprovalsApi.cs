using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Access.Approvals;

namespace Turnpike.Admin.Guards;

/// <summary>A question to an operator.</summary>
internal sealed record ApprovalView(string Id, string Caller, string Operation, MoneyView Amount, string Status, DateTimeOffset Created, DateTimeOffset? Until)
{
    public static ApprovalView Of(Approval a) => new(a.Id, a.Caller, a.Operation, MoneyView.Of(a.Amount), ApprovalStore.Text(a.Status), a.Created, a.Until);
}

/// <summary>Questions, newest first.</summary>
internal sealed record ApprovalList(IReadOnlyList<ApprovalView> Approvals);

/// <summary><c>/admin/v1/approvals</c>: what callers wait for an operator to say.</summary>
internal static class OperatorApprovalsApi
{
    public static void MapOperatorApprovals(this IEndpointRouteBuilder api)
    {
        var approvals = api.MapGroup("/approvals").WithTags("approvals");
        approvals.MapGet("", ListAsync).Produces<ApprovalList>().ProducesProblem(400).WithName("listApprovals").WithSummary("What callers wait for, newest first");
        Decide(approvals, "approve", true, "Say yes, for as long as the operation's step-up says");
        Decide(approvals, "deny", false, "Say no, for as long as the operation's step-up says");
    }

    private static async Task<Results<Ok<ApprovalList>, ProblemHttpResult>> ListAsync(string? status, int? limit, ApprovalStore store, CancellationToken ct)
    {
        ApprovalStatus? wanted = status switch { null => null, "pending" => ApprovalStatus.Pending, "approved" => ApprovalStatus.Approved, "denied" => ApprovalStatus.Denied, _ => (ApprovalStatus)(-1) };
        if (wanted == (ApprovalStatus)(-1)) return AdminProblem.Malformed("status: pending, approved or denied.");
        return TypedResults.Ok(new ApprovalList([.. (await store.ListAsync(wanted, Math.Clamp(limit ?? 50, 1, 500), ct)).Select(ApprovalView.Of)]));
    }

    private static void Decide(RouteGroupBuilder approvals, string verb, bool yes, string summary) =>
        approvals.MapPost($"/{{id}}/{verb}", async Task<Results<Ok<ApprovalView>, ProblemHttpResult>> (string id, ReasonBody? body, ApprovalStore store, ApprovalDesk desk, CancellationToken ct) =>
        {
            if (await store.FindAsync(id, ct) is not { } asked) return AdminProblem.NotFound("approval");
            var said = yes ? ApprovalStatus.Approved : ApprovalStatus.Denied;
            if (asked.Status != said && !await desk.DecideAsync(asked, yes, body?.Reason, ct)) return AdminProblem.Of(409, "approval-decided", "It was answered before", "The caller asks again when that has ended.");
            return TypedResults.Ok(ApprovalView.Of((await store.FindAsync(id, ct))!));
        }).Produces<ApprovalView>().ProducesProblem(404).ProducesProblem(409).WithName(verb + "Approval").WithSummary(summary);
}
