using System.CommandLine;
using System.Globalization;
using Turnpike.Admin.Accounts;

namespace Turnpike.Admin.Cli.Accounts;

/// <summary><c>turnpike top-ups list|show|end</c>: what buyers agreed to have charged by itself. The running gateway is asked.</summary>
internal static class TopUpsCommand
{
    public static Command Create() => new("top-ups", "Automatic top-ups that buyers agreed to.") { List(), Show(), End() };

    private static Command List()
    {
        var before = new Option<string?>("--before") { Description = "Only what was agreed before this one: the next page." };
        return GatewayAsk.Of("list", "Agreements, newest first.\nExample: turnpike top-ups list", [before], AdminJson.Readable.TopUpAgreementList,
            (gateway, p, ct) => gateway.GetAsync("top-ups" + (p.GetValue(before) is { } last ? "?before=" + Uri.EscapeDataString(last) : ""), AdminJson.Default.TopUpAgreementList, ct),
            list => list.TopUps.Select(t => $"{t.Id}  {t.Status,-7} {t.Operation}  {Of(t.Price)} below {Of(t.Below)}, {Of(t.Charged)} of {Of(t.Monthly)} this month{(t.Why is { } why ? $"  {why}" : "")}"));
    }

    private static Command Show()
    {
        var id = Id();
        return GatewayAsk.Of("show", "An agreement, and what was charged.\nExample: turnpike top-ups show ma_…", [id], AdminJson.Readable.TopUpAgreementView,
            (gateway, p, ct) => gateway.GetAsync("top-ups/" + Uri.EscapeDataString(p.GetValue(id)!), AdminJson.Default.TopUpAgreementView, ct), Tell);
    }

    private static Command End()
    {
        var (id, reason) = (Id(), new Option<string?>("--reason") { Description = "Why, for the audit trail." });
        return GatewayAsk.Of("end", "Switch an automatic top-up off, for good; only its buyer can agree anew.\nExample: turnpike top-ups end ma_… --reason \"the buyer wrote us\"", [id, reason], AdminJson.Readable.TopUpAgreementView,
            (gateway, p, ct) => gateway.PostAsync($"top-ups/{Uri.EscapeDataString(p.GetValue(id)!)}/end", new ReasonBody(p.GetValue(reason)), AdminJson.Default.ReasonBody, AdminJson.Default.TopUpAgreementView, ct), Tell);
    }

    private static Argument<string> Id() => new("id") { Description = "Its id, or the id of its token." };

    private static IEnumerable<string> Tell(TopUpAgreementView view)
    {
        yield return $"id        {view.Id}{(view.Sandbox ? " (test money)" : "")}";
        yield return $"token     {view.Token}";
        yield return $"status    {view.Status}{(view.Why is { } why ? $": {why}" : "")}";
        yield return $"charges   {Of(view.Price)} when less than {Of(view.Below)} is left";
        yield return $"month     {Of(view.Charged)} of {Of(view.Monthly)}";
        yield return $"agreed    {view.Agreed.ToString("u", CultureInfo.InvariantCulture)} with {view.Purchase}";
        foreach (var charge in view.Charges ?? []) yield return $"          {charge.Created.ToString("u", CultureInfo.InvariantCulture)}  {Of(charge.Price)}  {charge.Status}  {charge.Purchase}";
    }

    private static string Of(MoneyView money) => $"{money.Amount} {money.Currency}";
}
