using System.CommandLine;
using Turnpike.Admin.Callers;
using Turnpike.Admin.Guards;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike callers plan|left|grant|grants|take-back</c>: what a caller has bought, what is left of it, and more.</summary>
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
        var kind = new Option<string?>("--kind") { Description = "plan: on top of what its plan includes; paid or promotional: money it spends where it presents no payment. plan, unless said." };
        var priority = new Option<int?>("--priority") { Description = "Of money, 0 to 1000: the lower, the sooner it is spent. 100, unless said." };
        var valid = new Option<string?>("--valid") { Description = "Of money: how long, 90d; what is unused then is removed. For good, unless said." };
        return GatewayAsk.Of("grant", "Give a caller more than its plan includes, or money of its own.\nExample: turnpike callers grant agent-1 \"100 requests\" --id invoice-17\nExample: turnpike callers grant agent-1 \"20.00 USD\" --id invoice-18 --kind paid --valid 90d", [name, amount, id, note, kind, priority, valid], AdminJson.Readable.GrantView,
            (gateway, p, ct) => gateway.PostAsync($"callers/{Uri.EscapeDataString(p.GetValue(name)!)}/grants", new GrantBody(p.GetValue(id)!, p.GetValue(amount)!, p.GetValue(note), p.GetValue(kind), p.GetValue(priority), Valid: p.GetValue(valid)), AdminJson.Default.GrantBody, AdminJson.Default.GrantView, ct),
            view => [view.Kind == "plan" ? $"{view.Id}  {view.Amount.Amount} {view.Amount.Currency}, {view.Left.Amount} left of grants" : Line(view)]);
    }

    public static Command Grants()
    {
        var name = Name();
        return GatewayAsk.Of("grants", "A caller's balance: every grant of money in the order in which they are spent.\nExample: turnpike callers grants agent-1", [name], AdminJson.Readable.BalanceView,
            (gateway, p, ct) => gateway.GetAsync($"callers/{Uri.EscapeDataString(p.GetValue(name)!)}/grants", AdminJson.Default.BalanceView, ct),
            Lines);
    }

    public static Command TakeBack()
    {
        var (name, grant) = (Name(), new Argument<string>("grant") { Description = "The id it was granted under." });
        var reason = new Option<string?>("--reason") { Description = "Why, for the audit trail." };
        return GatewayAsk.Of("take-back", "Take back what is unused of a grant of money.\nExample: turnpike callers take-back agent-1 invoice-18 --reason \"not paid\"", [name, grant, reason], AdminJson.Readable.TakenBackView,
            (gateway, p, ct) => gateway.PostAsync($"callers/{Uri.EscapeDataString(p.GetValue(name)!)}/grants/{Uri.EscapeDataString(p.GetValue(grant)!)}/take-back", new ReasonBody(p.GetValue(reason)), AdminJson.Default.ReasonBody, AdminJson.Default.TakenBackView, ct),
            view => [$"{view.Id}  {view.Taken.Amount} {view.Taken.Currency} taken back"]);
    }

    public static IEnumerable<string> Lines(BalanceView view) =>
        view.Grants.Select(Line).Append($"{(view.Available.Count == 0 ? "nothing" : string.Join(", ", view.Available.Select(a => $"{a.Amount} {a.Currency}")))} can be spent{(view.Next is { } next ? $", {next} next" : "")}");

    public static string Line(GrantView view) => $"{view.Id}  {view.Kind}  {view.Left.Amount} of {view.Amount.Amount} {view.Amount.Currency}, priority {view.Priority}{(view.Expires is { } end ? $", until {end:u}" : "")}, {view.Status}";

    private static Argument<string> Name() => new("name") { Description = "The caller's name." };
}
