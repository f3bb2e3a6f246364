using System.CommandLine;
using Turnpike.Admin.Guards;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike breakers</c>, <c>turnpike incidents</c> and <c>turnpike approvals</c>: what an operator does when something goes wrong, or waits for a yes.</summary>
internal static class GuardsCommands
{
    public static Command Breakers()
    {
        var breaker = new Argument<string>("breaker") { Description = "Its name." };
        var who = new Argument<string>("who") { Description = "The caller, or address." };
        return new("breakers", "Breakers: who has run away.")
        {
            GatewayAsk.Of("list", "The breakers that are open, and why.\nExample: turnpike breakers list", [], AdminJson.Readable.BreakerList, (gateway, _, ct) => gateway.GetAsync("breakers", AdminJson.Default.BreakerList, ct),
                list => list.Breakers.Select(b => $"{b.Breaker}  {b.Who}  until {b.Until:u}  {b.Evidence}")),
            GatewayAsk.Of("reset", "Close a breaker for a caller or address.\nExample: turnpike breakers reset retry-loop agent-1", [breaker, who], AdminJson.Readable.ReasonBody, async (gateway, p, ct) =>
            {
                await gateway.DeleteAsync($"breakers/{Uri.EscapeDataString(p.GetValue(breaker)!)}/{Uri.EscapeDataString(p.GetValue(who)!)}", ct);
                return new ReasonBody();
            }, _ => ["closed"]),
        };
    }

    public static Command Incidents()
    {
        var scope = new Argument<string>("scope") { Description = "installation, the name of a service or an operation, or service:NAME, operation:NAME, caller:NAME, rail:NAME." };
        var mode = new Argument<string>("mode") { Description = "normal, no-new-payments, paid-only, read-only or closed." };
        var reason = new Option<string>("--reason") { Description = "Why; callers are told it.", Required = true };
        return new("incidents", "Incidents: the switch for when something goes wrong.")
        {
            GatewayAsk.Of("list", "What is switched off.\nExample: turnpike incidents list", [], AdminJson.Readable.IncidentList, (gateway, _, ct) => gateway.GetAsync("incidents", AdminJson.Default.IncidentList, ct), list => list.Incidents.Select(Line)),
            GatewayAsk.Of("set", "Switch something off, or back to normal; in force for the next call, open streams included.\nExample: turnpike incidents set registry read-only --reason \"data is being restored\"", [scope, mode, reason], AdminJson.Readable.IncidentView,
                (gateway, p, ct) => gateway.SendAsync(HttpMethod.Put, $"incidents/{Uri.EscapeDataString(p.GetValue(scope)!)}", new IncidentBody(p.GetValue(mode)!, p.GetValue(reason)!), AdminJson.Default.IncidentBody, AdminJson.Default.IncidentView, ct), view => [Line(view)]),
        };
    }

    public static Command Approvals()
    {
        var status = new Option<string?>("--status") { Description = "pending, approved or denied. All, unless said." };
        return new("approvals", "Approvals: what callers wait for.")
        {
            GatewayAsk.Of("list", "What callers wait for, newest first.\nExample: turnpike approvals list --status pending", [status], AdminJson.Readable.ApprovalList,
                (gateway, p, ct) => gateway.GetAsync(p.GetValue(status) is { } wanted ? $"approvals?status={Uri.EscapeDataString(wanted)}" : "approvals", AdminJson.Default.ApprovalList, ct), list => list.Approvals.Select(Line)),
            Decide("approve", "Say yes, for as long as the operation's step-up says."),
            Decide("deny", "Say no, for as long as the operation's step-up says."),
        };
    }

    private static Command Decide(string verb, string says)
    {
        var id = new Argument<string>("approval") { Description = "Its id." };
        var reason = new Option<string?>("--reason") { Description = "Why, for the audit trail." };
        return GatewayAsk.Of(verb, $"{says}\nExample: turnpike approvals {verb} a_…", [id, reason], AdminJson.Readable.ApprovalView,
            (gateway, p, ct) => gateway.PostAsync($"approvals/{Uri.EscapeDataString(p.GetValue(id)!)}/{verb}", new ReasonBody(p.GetValue(reason)), AdminJson.Default.ReasonBody, AdminJson.Default.ApprovalView, ct), view => [Line(view)]);
    }

    private static string Line(IncidentView incident) => $"{incident.Scope}  {incident.Mode}  since {incident.Since:u}  {incident.Reason}";

    private static string Line(ApprovalView approval) => $"{approval.Id}  {approval.Status}  {approval.Caller}  {approval.Operation}  {approval.Amount.Amount} {approval.Amount.Currency}  {approval.Created:u}";
}
