using System.CommandLine;
using Turnpike.Admin.Guards;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike limits list|counters|reset|shadow</c>.</summary>
internal static class LimitsCommand
{
    public static Command Create() => new("limits", "Limits: what is written down, and how full it is now.") { List(), Counters(), Reset(), Shadow() };

    private static Command List() => GatewayAsk.Of("list", "The limits of the configuration, wherever they stand.\nExample: turnpike limits list", [], AdminJson.Readable.LimitList,
        (gateway, _, ct) => gateway.GetAsync("limits", AdminJson.Default.LimitList, ct), list => list.Limits.Select(Line));

    private static Command Counters()
    {
        var limit = new Option<string?>("--limit") { Description = "The id of a limit. All, unless said." };
        var who = new Option<string?>("--who") { Description = "Whose counter: the key's parts, joined by |. Everybody's, unless said." };
        return GatewayAsk.Of("counters", "What counts now on the node that is asked, fullest first.\nExample: turnpike limits counters --who agent-1", [limit, who], AdminJson.Readable.CountList,
            (gateway, p, ct) => gateway.GetAsync($"limits/counters?{Query("limit", p.GetValue(limit))}{Query("who", p.GetValue(who))}", AdminJson.Default.CountList, ct),
            list => list.Counters.Select(c => $"{c.Limit}  {(c.Who.Length == 0 ? "everybody" : c.Who)}  {c.Left.Amount} of {c.Amount.Amount} {c.Amount.Currency} left, more in {c.RetryAfter} s"));
    }

    private static Command Reset()
    {
        var limit = new Argument<string>("limit") { Description = "The id of the limit." };
        var who = new Argument<string>("who") { Description = "Whose counter: the key's parts, joined by |.", DefaultValueFactory = _ => "" };
        return GatewayAsk.Of("reset", "Begin anew for one key of a limit.\nExample: turnpike limits reset plans.free.limits/requests-60s agent-1", [limit, who], AdminJson.Readable.ReasonBody,
            async (gateway, p, ct) =>
            {
                await gateway.DeleteAsync($"limits/counters?{Query("limit", p.GetValue(limit))}{Query("who", p.GetValue(who))}", ct);
                return new ReasonBody();
            }, _ => ["begun anew"]);
    }

    private static Command Shadow()
    {
        var days = new Option<int>("--days") { Description = "How far back.", DefaultValueFactory = _ => 7 };
        return GatewayAsk.Of("shadow", "What limits in shadow would have refused, by the audit trail.\nExample: turnpike limits shadow --days 30", [days], AdminJson.Readable.ShadowList,
            (gateway, p, ct) => gateway.GetAsync($"limits/shadow?days={p.GetValue(days)}", AdminJson.Default.ShadowList, ct),
            list => list.Shadows.Select(s => $"{s.Limit}  {s.Caller ?? "nobody known"}  {s.Calls} calls, the last at {s.Last:u}"));
    }

    public static string Line(LimitView limit) => $"{limit.Id}  {limit.Amount} {(limit.Per is { } per ? "per " + per : "at once")}, {limit.Count}{(limit.Key.Count > 0 ? ", by " + string.Join(" and ", limit.Key) : "")}{(limit.Shadow ? ", in shadow" : "")}";

    private static string Query(string name, string? value) => value is null ? "" : $"{name}={Uri.EscapeDataString(value)}&";
}
