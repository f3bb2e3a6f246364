using System.CommandLine;
using System.Text.Json;
using Turnpike.Admin.Support;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike payments list|show|resolve|refund</c>: what was paid, and what to do about it. Deciding asks the running gateway.</summary>
internal static class PaymentsCommand
{
    public static Command Create() => new("payments", "Payments: what was paid, what became of it, and what is to be done.") { List(), Show(), Resolve(), Refund(), Evidence() };

    private static Command List()
    {
        var status = new Option<string?>("--status") { Description = "held, captured, unknown, settled or released." };
        status.AcceptOnlyFromAmong([.. Enum.GetValues<HoldStatus>().Select(HoldRow.Text)]);
        var payer = new Option<string?>("--payer") { Description = "Only of this payer; a wallet's bare address will do." };
        var purchases = new Option<bool>("--upstreams") { Description = "Instead, what upstreams were paid for calls." };
        var limit = new Option<int>("--limit") { Description = "At most so many.", DefaultValueFactory = _ => 50 };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("list", "List payments, newest first. Works beside a running gateway.\nExample: turnpike payments list --status unknown") { status, payer, purchases, limit, config, json };
        command.SetAction((p, ct) => ListAsync(p.GetValue(config)!, ConfigEnvironment.Process, new HoldFilter(p.GetValue(status), p.GetValue(payer), Most: Math.Clamp(p.GetValue(limit), 1, 500), Purchases: p.GetValue(purchases)), p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Show()
    {
        var id = Id();
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("show", "Show a payment and every decision about it. Works beside a running gateway.\nExample: turnpike payments show r_0agsm11m22xq7bh5kcr54agti4") { id, config, json };
        command.SetAction((p, ct) => ShowAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Resolve()
    {
        var id = Id();
        var how = new Option<string>("--as") { Description = "settled, released or credited.", Required = true };
        var reference = new Option<string?>("--reference") { Description = "The rail's name for the money; wanted for settled." };
        var reason = new Option<string>("--reason") { Description = "How you know, for the audit trail.", Required = true };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("resolve", "Decide what became of a payment whose outcome is unknown, through the running gateway.\nExample: turnpike payments resolve r_0agsm11m22xq7bh5kcr54agti4 --as settled --reference 0x… --reason \"seen on the explorer\"") { id, how, reference, reason, config, json };
        command.SetAction((p, ct) => ResolveAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, new ResolveBody(p.GetValue(how)!, p.GetValue(reference), p.GetValue(reason)!), p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Refund()
    {
        var id = Id();
        var amount = new Option<string?>("--amount") { Description = "How much, \"0.50 USD\"; all that is left, unless said." };
        var how = new Option<string?>("--as") { Description = "rail: the way it came; credit: onto the token's budget or the payer's credit. By the rail where it can be, unless said." };
        var reason = new Option<string>("--reason") { Description = "Why, for the audit trail.", Required = true };
        var key = new Option<string?>("--key") { Description = "Idempotency key: the same key is the same refund. A fresh one, unless said." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("refund", "Give a payment back, in full or in part, through the running gateway.\nExample: turnpike payments refund r_0agsm11m22xq7bh5kcr54agti4 --amount \"0.50 USD\" --reason \"half was wrong\"") { id, amount, how, reason, key, config, json };
        command.SetAction((p, ct) => RefundAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, new RefundBody(p.GetValue(reason)!, p.GetValue(amount), p.GetValue(how)), p.GetValue(key) ?? Ids.New("k"), p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Evidence()
    {
        var id = Id();
        var to = new Option<string>("--out") { Description = "The file to write.", Required = true };
        var config = CommandRun.ConfigOption();
        var command = new Command("evidence", "Write all that is known of a payment as one signed document, through the running gateway; turnpike receipts verify checks it.\nExample: turnpike payments evidence r_0agsm11m22xq7bh5kcr54agti4 --out evidence.json") { id, to, config };
        command.SetAction((p, ct) => EvidenceAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, p.GetValue(to)!, Console.Error, ct));
        return command;
    }

    public static Task<int> EvidenceAsync(string config, ConfigEnvironment environment, string id, string file, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var gateway = AdminClient.For(catalog.Gateway);
        await File.WriteAllBytesAsync(file, await gateway.GetAsync($"payments/{Uri.EscapeDataString(Plain(id))}/evidence", ct), ct);
        return CommandRun.Done;
    });

    public static Task<int> ListAsync(string config, ConfigEnvironment environment, HoldFilter filter, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        var found = await PaymentSearch.ListAsync(books.Ledger, catalog, filter, ct);
        var views = found.Select(state => PaymentView.Of(state, TimeProvider.System.GetUtcNow())).ToList();
        if (json) output.WriteLine(JsonSerializer.Serialize(new PaymentList(views, null), AdminJson.Readable.PaymentList));
        else foreach (var view in views) output.WriteLine($"{view.Receipt}  {view.Created:u}  {view.Status,-8}  {view.Outcome,-9}  {view.Ceiling.Amount,12} {view.Ceiling.Currency}  {view.Operation}  {view.Payer}");
        return CommandRun.Done;
    });

    public static Task<int> ShowAsync(string config, ConfigEnvironment environment, string id, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        if (await PaymentStory.FindAsync(books.Ledger, books.Audit, Plain(id), TimeProvider.System.GetUtcNow(), ct) is not { } story) return await ShowUnpaidAsync(books, id, json, output, err, ct);
        if (json) output.WriteLine(JsonSerializer.Serialize(story, AdminJson.Readable.PaymentStory));
        else Tell(story, output);
        return CommandRun.Done;
    });

    /// <summary>What was said of a call that nothing was ever held for: why its payer's payment was not taken.</summary>
    private static async Task<int> ShowUnpaidAsync(CommandBooks books, string correlation, bool json, TextWriter output, TextWriter err, CancellationToken ct)
    {
        var events = (await books.Audit.ReadAsync(new AuditFilter(Correlation: correlation, Most: 500), ct)).Select(EventView.Of).ToList();
        if (events.Count == 0) return CommandRun.Say(err, "No payment has this id, receipt, correlation or reference.", CommandRun.Refused);
        if (json) output.WriteLine(JsonSerializer.Serialize(new EventList(events, null), AdminJson.Readable.EventList));
        else output.WriteLine("Nothing was taken under this correlation.");
        if (!json) Tell(events, output);
        return CommandRun.Done;
    }

    public static Task<int> ResolveAsync(string config, ConfigEnvironment environment, string id, ResolveBody body, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var gateway = AdminClient.For(catalog.Gateway);
        var view = await gateway.PostAsync($"payments/{Uri.EscapeDataString(Plain(id))}/resolve", body, AdminJson.Default.ResolveBody, AdminJson.Default.PaymentView, ct);
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.PaymentView));
        else Tell(view, output);
        return CommandRun.Done;
    });

    public static Task<int> RefundAsync(string config, ConfigEnvironment environment, string id, RefundBody body, string key, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var gateway = AdminClient.For(catalog.Gateway);
        var view = await gateway.PostAsync($"payments/{Uri.EscapeDataString(Plain(id))}/refund", body, AdminJson.Default.RefundBody, AdminJson.Default.RefundView, ct, key);
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.RefundView));
        else Tell(view, output);
        return CommandRun.Done;
    });

    private static Argument<string> Id() => new("id") { Description = "The payment's id, its receipt's id or URL; to show it, a correlation or the rail's reference (a transaction) as well." };

    /// <summary>A receipt's URL is as good as its id.</summary>
    private static string Plain(string id) => id.Contains("/receipts/", StringComparison.Ordinal) ? id[(id.LastIndexOf('/') + 1)..] : id;

    private static void Tell(PaymentStory story, TextWriter to)
    {
        Tell(story.Payment, to);
        foreach (var refund in story.Refunds) to.WriteLine($"refund       {refund.Amount.Amount} {refund.Amount.Currency} as {refund.As}, {refund.Status}: {refund.Reason}");
        Tell(story.Events, to);
    }

    private static void Tell(IReadOnlyList<EventView> events, TextWriter to)
    {
        foreach (var happened in events) to.WriteLine($"{happened.Time:u}  {happened.Kind}{(happened.Reason is { } reason ? $" ({reason})" : "")}{(happened.Detail is { } detail ? $": {detail}" : "")}");
    }

    private static void Tell(RefundView view, TextWriter to)
    {
        to.WriteLine($"refund       {view.Id} of {view.Payment}");
        to.WriteLine($"status       {view.Status}{(view.Status == "pending" ? ": the rail has not said yet, and is asked again" : "")}");
        to.WriteLine($"amount       {view.Amount.Amount} {view.Amount.Currency} as {view.As}, to {view.Payer}");
        if (view.Reference is { } reference) to.WriteLine($"reference    {reference}");
    }

    private static void Tell(PaymentView view, TextWriter to)
    {
        to.WriteLine($"payment      {view.Id}");
        to.WriteLine($"receipt      {view.Receipt}");
        to.WriteLine($"status       {view.Status}, answer {view.Outcome}{(view.Age is { } age ? $", for {age} s" : "")}");
        to.WriteLine($"for          {view.Operation}: {view.Request}");
        to.WriteLine($"amount       {view.Captured.Amount} of at most {view.Ceiling.Amount} {view.Ceiling.Currency}");
        to.WriteLine($"payer        {view.Payer}");
        to.WriteLine($"method       {view.Method}");
        if (view.Reference is { } reference) to.WriteLine($"reference    {reference}");
        to.WriteLine($"correlation  {view.Correlation}");
    }
}
