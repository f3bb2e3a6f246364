using System.CommandLine;
using System.Text;
using Turnpike.Catalog.Document;
using Turnpike.Gateway;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike receipts show</c>: what was paid for what.</summary>
internal static class ReceiptsCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("id") { Description = "The receipt's id, as in the Turnpike-Receipt header, or that URL." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var show = new Command("show", "Show a receipt.\nExample: turnpike receipts show r_0agsm11m22xq7bh5kcr54agti4") { id, config, json };
        show.SetAction((p, ct) => ShowAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, p.GetValue(json), Console.Out, Console.Error, ct));
        return new Command("receipts", "Receipts: what was paid for what.") { show, Verify() };
    }

    private static Command Verify()
    {
        var file = new Argument<string>("file") { Description = "A signed receipt or evidence, as JSON or as bare JWS; - for standard input." };
        var jwks = new Option<string?>("--jwks") { Description = "The keys: a file, or the URL of a jwks.json. Those of this installation, unless said." };
        var config = CommandRun.ConfigOption();
        var command = new Command("verify", "Check who signed a receipt or evidence, and write what it says; exit code 3 when it is not to be believed. Needs no network with a file of keys.\nExample: turnpike receipts verify receipt.json --jwks jwks.json") { file, jwks, config };
        command.SetAction((p, ct) => SignedFile.VerifyAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(file)!, p.GetValue(jwks), Console.In, Console.Out, Console.Error, ct));
        return command;
    }

    public static Task<int> ShowAsync(string config, ConfigEnvironment environment, string id, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        if (await books.Ledger.FindByReceiptAsync(id[(id.LastIndexOf('/') + 1)..], ct) is not { } state) return CommandRun.Say(err, "No receipt has this id.", CommandRun.Refused);
        if (json)
        {
            output.WriteLine(Encoding.UTF8.GetString(ReceiptsApi.Write(state, catalog.Gateway.Sandbox)));
            return CommandRun.Done;
        }
        var view = PaymentView.Of(state, TimeProvider.System.GetUtcNow());
        output.WriteLine($"receipt      {view.Receipt}");
        output.WriteLine($"payment      {view.Status}, answer {view.Outcome}");
        output.WriteLine($"for          {view.Operation}: {view.Request}");
        output.WriteLine($"amount       {view.Captured.Amount} {view.Captured.Currency}{(catalog.Gateway.Sandbox ? " (sandbox)" : "")}");
        output.WriteLine($"payer        {view.Payer}");
        output.WriteLine($"method       {view.Method}");
        if (view.Reference is { } reference) output.WriteLine($"reference    {reference}");
        output.WriteLine($"correlation  {view.Correlation}");
        output.WriteLine($"time         {view.Created:u}");
        return CommandRun.Done;
    });
}
