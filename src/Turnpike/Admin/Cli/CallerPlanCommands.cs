using System.CommandLine;
using Turnpike.Admin.Callers;
using Turnpike.Admin.Guards;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike callers plan|left|grant</c>: what a caller has bought, what is left of it, and more.</summary>
internal static class CallerPlanCommands
{
    public static Command Plan()
    {
        var (name, plan) = (Name(), new Argument<string?>("plan") { Description = "The plan; left out: none.", DefaultValueFactory = _ => null });
        var span = new Option<string?>("--for") { Description = "How long, 14d: a trial. For good, unless said." };
        var grace = new Option<string?>("--grace") { Description = "How much longer it is served all the same, 3d." };
        var then = new Option<string?>("--then") { Description = "The plan afterwards." };
        return GatewayAsk.Of("plan", "Change a caller's plan, from the next call on.\nExample: turnpike callers plan agent-1 pro --for 14d --then free", [name, plan, span, grace, then], AdminJson.Readable.CallerView,
            (gateway, p, ct) => gateway.SendAsync(HttpMethod.Put, $"callers/{Uri.EscapeDataString(p.GetValue(name)!)}/plan", new PlanBody(p.GetValue(plan), p.GetValue(span), null, p.GetValue(grace), p.GetValue(then)), AdminJson.Default.PlanBody, AdminJson.Default.CallerView, ct),
            view => [$"{view.Name}  {view.Plan ?? "no plan"}{(view.PlanUntil is { } until ? $" until {until:u}" : "")}{(view.PlanThen is { } next ? $", then {next}" : "")}"]);
    }

    public static Command Left()
    {
        var name = Name();
        return GatewayAsk.Of("left", "What is left of what a caller's plan includes, and of grants.\nExample: turnpike callers left agent-1", [name], AdminJson.Readable.AllowanceList,
            (gateway, p, ct) => gateway.GetAsync($"callers/{Uri.EscapeDataString(p.GetValue(name)!)}/allowances", AdminJson.Default.AllowanceList, ct),
            list => list.Allowances.Select(a => $"{a.Feature}  {a.Left.Amount} {a.Left.Currency} left{(a.Limit is { } limit ? $" of {limit.Amount}" : "")}{(a.ResetAt is { } reset ? $", anew at {reset:u}" : "")}"));
    }

    public static Command Grant()
    {
        var (name, amount) = (Name(), new Argument<string>("amount") { Description = "How much, \"100 requests\"." });
        var id = new Option<string>("--id") { Description = "Your own name for it: the same id gives it once.", Required = true };
        var note = new Option<string?>("--note") { Description = "Why, for the audit trail." };
        return GatewayAsk.Of("grant", "Give a caller more than its plan includes.\nExample: turnpike callers grant agent-1 \"100 requests\" --id invoice-17", [name, amount, id, note], AdminJson.Readable.GrantView,
            (gateway, p, ct) => gateway.PostAsync($"callers/{Uri.EscapeDataString(p.GetValue(name)!)}/grants", new GrantBody(p.GetValue(id)!, p.GetValue(amount)!, p.GetValue(note)), AdminJson.Default.GrantBody, AdminJson.Default.GrantView, ct),
            view => [$"{view.Id}  {view.Amount.Amount} {view.Amount.Currency}, {view.Left.Amount} left of grants"]);
    }

    private static Argument<string> Name() => new("name") { Description = "The caller's name." };
}
