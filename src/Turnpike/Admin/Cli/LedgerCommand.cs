using System.CommandLine;
using System.Text.Json;
using Turnpike.Catalog.Document;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike ledger verify</c>: do the books balance?</summary>
internal static class LedgerCommand
{
    public static Command Create()
    {
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var verify = new Command("verify", "Recount the books from every entry; exit code 1 when anything is off. Works beside a running gateway.\nExample: turnpike ledger verify --config turnpike.yaml") { config, json };
        verify.SetAction((p, ct) => VerifyAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(json), Console.Out, Console.Error, ct));
        return new Command("ledger", "The books: every amount, to the nano-dollar.") { verify, Accounts.StatementsCommand.Export() };
    }

    public static Task<int> VerifyAsync(string config, ConfigEnvironment environment, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        var view = BooksView.Of(await books.Ledger.VerifyAsync(ct));
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.BooksView));
        else
        {
            foreach (var total in view.Totals) output.WriteLine($"{total.Role,-10} {total.Amount,20} {total.Currency}");
            if (view.Balanced) output.WriteLine($"The books balance: {view.Holds} payments, {view.OpenHolds} of them open, {view.Entries} entries.");
        }
        foreach (var finding in view.Findings) CommandRun.Say(err, finding, CommandRun.Failed);
        return view.Balanced ? CommandRun.Done : CommandRun.Failed;
    });
}
