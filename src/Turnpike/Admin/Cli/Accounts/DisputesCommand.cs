using System.CommandLine;
using Turnpike.Admin.Accounts;

namespace Turnpike.Admin.Cli.Accounts;

/// <summary><c>turnpike disputes list|show|answer</c>: what buyers took back through their banks. The running gateway is asked.</summary>
internal static class DisputesCommand
{
    public static Command Create() => new("disputes", "Payments that buyers took back through their banks, and our answer.") { List(), Show(), Answer() };

    private static Command List() => GatewayAsk.Of("list", "Disputes Stripe told of, newest first.\nExample: turnpike disputes list", [], AdminJson.Readable.DisputeList,
        (gateway, _, ct) => gateway.GetAsync("disputes", AdminJson.Default.DisputeList, ct), list => list.Disputes.Select(Line));

    private static Command Show()
    {
        var id = Id();
        return GatewayAsk.Of("show", "A dispute, with the evidence as it would be submitted.\nExample: turnpike disputes show dp_…", [id], AdminJson.Readable.DisputeView,
            (gateway, p, ct) => gateway.GetAsync(Path(p.GetValue(id)!), AdminJson.Default.DisputeView, ct),
            view => [Line(view), .. (view.Evidence ?? new Dictionary<string, string>()).Select(e => $"{e.Key}: {e.Value}")]);
    }

    private static Command Answer()
    {
        var (id, words) = (Id(), new Option<string?>("--words") { Description = "What you add to the evidence." });
        return GatewayAsk.Of("answer", "Submit the evidence to Stripe, once: it takes no second answer.\nExample: turnpike disputes answer dp_… --words \"It was delivered.\"", [id, words], AdminJson.Readable.DisputeView,
            (gateway, p, ct) => gateway.PostAsync(Path(p.GetValue(id)!) + "/evidence", new DisputeBody(p.GetValue(words)), AdminJson.Default.DisputeBody, AdminJson.Default.DisputeView, ct), view => [Line(view)]);
    }

    private static string Line(DisputeView d) => $"{d.Id}  {d.Created:u}  {d.Amount.Amount} {d.Amount.Currency}  {d.Status}{(d.Reason is { } reason ? $": {reason}" : "")}{(d.Submitted is null && d.EvidenceDue is { } due ? $", evidence until {due:u}" : "")}";

    private static Argument<string> Id() => new("id") { Description = "The dispute's id, dp_…" };

    private static string Path(string id) => $"disputes/{Uri.EscapeDataString(id)}";
}
