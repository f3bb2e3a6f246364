using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Turnpike.Admin.Accounts;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;

namespace Turnpike.Admin.Cli.Accounts;

/// <summary><c>turnpike invoices list|show|pay|void|give-up|credit</c>: what callers owe, through the running gateway.</summary>
internal static class InvoicesCommand
{
    public static Command Create() => new("invoices", "Invoices: what callers owe, and what became of it.") { List(), Show(), Pay(), End("void", "void", "An invoice was sent by mistake: nobody owes it any more."), End("give-up", "uncollectible", "An invoice will not be paid: it is a loss, unless it is paid after all."), Credit() };

    private static Command List()
    {
        var caller = new Option<string?>("--caller") { Description = "Only of this caller." };
        var status = new Option<string?>("--status") { Description = "draft, open, paid, past_due, uncollectible or void." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("list", "List invoices, newest periods first.\nExample: turnpike invoices list --status past_due") { caller, status, config, json };
        command.SetAction((p, ct) => ListAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(caller), p.GetValue(status), p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Show()
    {
        var (id, format) = (Id(), new Option<string?>("--format") { Description = "html: a page to print; csv: a table of its lines." });
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("show", "Show an invoice.\nExample: turnpike invoices show inv_6b1f… --format html > invoice.html") { id, format, config, json };
        command.SetAction((p, ct) => ShowAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, p.GetValue(format), p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Pay()
    {
        var id = Id();
        var rail = new Option<string?>("--rail") { Description = "Who brought the money; bank, unless said." };
        var reference = new Option<string?>("--reference") { Description = "Its own name for the payment." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("pay", "Say that an invoice was paid.\nExample: turnpike invoices pay inv_6b1f… --reference \"wire 4711\"") { id, rail, reference, config, json };
        command.SetAction((p, ct) => PostAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, "pay", new PaidBody(p.GetValue(rail), p.GetValue(reference)), AdminJson.Default.PaidBody, null, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command End(string name, string path, string says)
    {
        var (id, reason) = (Id(), new Option<string>("--reason") { Description = "Why, for the audit trail.", Required = true });
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command(name, $"{says}\nExample: turnpike invoices {name} inv_6b1f… --reason \"wrong caller\"") { id, reason, config, json };
        command.SetAction((p, ct) => PostAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, path, new ReasonBody(p.GetValue(reason)), AdminJson.Default.ReasonBody, null, p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Credit()
    {
        var (id, amount) = (Id(), new Option<string>("--amount") { Description = "How much, \"0.50 USD\".", Required = true });
        var reason = new Option<string>("--reason") { Description = "Why; it stands on the credit note.", Required = true };
        var key = new Option<string?>("--key") { Description = "Idempotency key: the same key is the same credit note. A fresh one, unless said." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("credit", "Take something back of an invoice; of one that was paid it goes back to its customer.\nExample: turnpike invoices credit inv_6b1f… --amount \"0.50 USD\" --reason \"half a day down\"") { id, amount, reason, key, config, json };
        command.SetAction((p, ct) => PostAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, "credit-notes", new CreditNoteBody(p.GetValue(amount)!, p.GetValue(reason)!), AdminJson.Default.CreditNoteBody, p.GetValue(key) ?? Ids.New("k"), p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    public static Task<int> ListAsync(string config, ConfigEnvironment environment, string? caller, string? status, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var gateway = AdminClient.For(catalog.Gateway);
        var query = string.Join('&', new[] { caller is null ? null : "caller=" + Uri.EscapeDataString(caller), status is null ? null : "status=" + Uri.EscapeDataString(status) }.OfType<string>());
        var list = await gateway.GetAsync("invoices?" + query, AdminJson.Default.InvoiceList, ct);
        if (json) output.WriteLine(JsonSerializer.Serialize(list, AdminJson.Readable.InvoiceList));
        else foreach (var i in list.Invoices) output.WriteLine($"{i.Number ?? i.Id}  {i.Caller}  {i.Start:yyyy-MM-dd} to {i.End:yyyy-MM-dd}  {i.Charged.Amount} {i.Charged.Currency}  {i.Status}{(i.Error is { } error ? $": {error}" : "")}");
        return CommandRun.Done;
    });

    public static Task<int> ShowAsync(string config, ConfigEnvironment environment, string id, string? format, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var gateway = AdminClient.For(catalog.Gateway);
        if (format is "html" or "csv") output.Write(System.Text.Encoding.UTF8.GetString(await gateway.GetAsync($"invoices/{Uri.EscapeDataString(id)}?format={format}", ct)));
        else Tell(await gateway.GetAsync($"invoices/{Uri.EscapeDataString(id)}", AdminJson.Default.InvoiceView, ct), json, output);
        return CommandRun.Done;
    });

    public static Task<int> PostAsync<T>(string config, ConfigEnvironment environment, string id, string path, T body, JsonTypeInfo<T> type, string? key, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var gateway = AdminClient.For(catalog.Gateway);
        Tell(await gateway.PostAsync($"invoices/{Uri.EscapeDataString(id)}/{path}", body, type, AdminJson.Default.InvoiceView, ct, key), json, output);
        return CommandRun.Done;
    });

    private static Argument<string> Id() => new("id") { Description = "The invoice's id, inv_…" };

    private static void Tell(InvoiceView i, bool json, TextWriter to)
    {
        if (json) { to.WriteLine(JsonSerializer.Serialize(i, AdminJson.Readable.InvoiceView)); return; }
        to.WriteLine($"invoice   {i.Id}{(i.Number is { } number ? $" ({number})" : "")} of {i.Caller}, {i.Status}");
        to.WriteLine($"period    {i.Start:u} to {i.End:u}{(i.Due is { } due ? $", due {due:u}" : "")}");
        foreach (var line in i.Lines) to.WriteLine($"          {line.Amount,18}  {line.Kind} {line.Of}{(line.Calls > 0 ? $", {line.Calls} calls" : "")}{string.Concat(line.Units.Select(u => $", {u.Value} {u.Key}"))}");
        to.WriteLine($"total     {i.Total.Amount,18} {i.Total.Currency}, {i.Carried.Amount} carried from before, {i.Forward.Amount} carried on");
        to.WriteLine($"to pay    {i.Charged.Amount,18} {i.Charged.Currency}, tax {i.Tax.Amount}, credited {i.Credited.Amount}, owed {i.Owed.Amount}");
        if (i.Url is { } url) to.WriteLine($"page      {url}");
        if (i.Error is { } error) to.WriteLine($"error     {error}");
    }
}
