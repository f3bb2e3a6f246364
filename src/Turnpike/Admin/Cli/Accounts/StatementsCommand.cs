using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Turnpike.Admin.Accounts;
using Turnpike.Billing.Statements;
using Turnpike.Catalog.Document;

namespace Turnpike.Admin.Cli.Accounts;

/// <summary><c>turnpike statements show</c> and <c>ledger export</c>: what came in and went out, for the owner and the accountant.</summary>
internal static class StatementsCommand
{
    public static Command Create()
    {
        var (from, to) = Times();
        var csv = new Option<bool>("--csv") { Description = "Write a table." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var show = new Command("show", "Show what came in and went out in a time, from the books alone; GET /admin/v1/statements also asks Stripe for its fees and payouts. Works beside a running gateway.\nExample: turnpike statements show --from 2026-01-01 --to 2026-02-01") { from, to, csv, config, json };
        show.SetAction((p, ct) => ShowAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(from), p.GetValue(to), p.GetValue(csv), p.GetValue(json), Console.Out, Console.Error, ct));
        return new Command("statements", "Statements: what came in and went out.") { show };
    }

    public static Command Export()
    {
        var (from, to) = Times();
        var format = new Option<string>("--format") { Description = "csv or beancount.", DefaultValueFactory = _ => "csv" };
        format.AcceptOnlyFromAmong("csv", "beancount");
        var config = CommandRun.ConfigOption();
        var export = new Command("export", "Write every posting of a time, double entry, each currency by itself. Works beside a running gateway.\nExample: turnpike ledger export --from 2026-01-01 --to 2026-02-01 --format beancount") { from, to, format, config };
        export.SetAction((p, ct) => ExportAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(from), p.GetValue(to), p.GetValue(format) == "beancount", Console.Out, Console.Error, ct));
        return export;
    }

    public static Task<int> ShowAsync(string config, ConfigEnvironment environment, string? from, string? to, bool csv, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        if (Read(from, to) is not var (start, end)) return Wrong(err);
        using var books = CommandBooks.Look(catalog);
        var store = new BookStore(books.Database);
        var view = StatementView.Of(Statement.Of(start, end, await store.FlowsAsync(start, end, ct), await store.ExpensesAsync(start, end, ct), await store.ExpiredAsync(end, ct), new Dictionary<(string, string), (Ledger.Money, Ledger.Money)>()));
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.StatementView));
        else if (csv) output.Write(view.ToCsv());
        else Tell(view, output);
        return CommandRun.Done;
    });

    public static Task<int> ExportAsync(string config, ConfigEnvironment environment, string? from, string? to, bool beancount, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        if (Read(from, to) is not var (start, end)) return Wrong(err);
        using var books = CommandBooks.Look(catalog);
        await BookExport.WriteAsync(new BookStore(books.Database), start, end, beancount, output, ct);
        return CommandRun.Done;
    });

    private static void Tell(StatementView view, TextWriter to)
    {
        to.WriteLine($"{view.From:u} to {view.To:u}");
        foreach (var rail in view.Rails) to.WriteLine($"{rail.Rail,-20} {rail.Taken,18} taken {rail.GivenBack,18} given back  {rail.Currency}");
        foreach (var (name, all) in ((string, IReadOnlyList<MoneyView>)[])[("revenue", view.Revenue), ("refunded", view.Refunded), ("credited", view.Credited), ("losses", view.Losses), ("expenses", view.Expenses), ("deferred", view.Deferred), ("expired", view.Expired), ("receivable", view.Receivable)])
            foreach (var money in all) to.WriteLine($"{name,-20} {money.Amount,18} {money.Currency}");
    }

    private static (Option<string?> From, Option<string?> To) Times() => (new("--from") { Description = "The beginning, 2026-01-01 or 2026-01-01T00:00:00Z; the month before this one, unless said." }, new("--to") { Description = "The end, which is not part of it." });

    private static (DateTimeOffset From, DateTimeOffset To)? Read(string? from, string? to)
    {
        DateTimeOffset? start = null, end = null;
        foreach (var (text, isStart) in new[] { (from, true), (to, false) })
        {
            if (text is null) continue;
            if (!DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ssK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var read)) return null;
            if (isStart) start = read;
            else end = read;
        }
        return StatementsApi.Times(start, end, TimeProvider.System);
    }

    private static int Wrong(TextWriter err) => CommandRun.Say(err, "--from and --to go together, from before to, each as 2026-01-31 or 2026-01-31T00:00:00Z.", CommandRun.WrongInput);
}
