using System.CommandLine;
using Turnpike.Catalog.Document;
using Turnpike.Metering;
using Turnpike.Pricing;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike price explain</c>: how a price came about, from a receipt.</summary>
internal static class PriceCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("receipt") { Description = "The receipt's id, as in the Turnpike-Receipt header, or that URL." };
        var config = CommandRun.ConfigOption();
        var explain = new Command("explain", "Tell how a call's price came about: its units, their rates, and what was taken.\nExample: turnpike price explain r_0agsm11m22xq7bh5kcr54agti4") { id, config };
        explain.SetAction((p, ct) => ExplainAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(id)!, Console.Out, Console.Error, ct));
        return new Command("price", "Prices: what a call costs, and why.") { explain };
    }

    public static Task<int> ExplainAsync(string config, ConfigEnvironment environment, string id, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        if (await books.Ledger.FindByReceiptAsync(id[(id.LastIndexOf('/') + 1)..], ct) is not { } state) return CommandRun.Say(err, "No receipt has this id.", CommandRun.Refused);
        output.WriteLine($"for          {state.Hold.Operation}: {state.Hold.Request}");
        output.WriteLine($"held         {state.Hold.Ceiling}");
        output.WriteLine($"taken        {state.Captured}");
        if (await books.Usage.FindByReceiptAsync(state.Hold.Receipt, ct) is not { } record)
        {
            output.WriteLine("It has a fixed price: nothing of its use was priced.");
            return CommandRun.Done;
        }
        output.WriteLine($"model        {record.Model ?? "none"}");
        output.WriteLine($"usage        {record.Origin}: {record.Charged}");
        if (state.Hold.PriceVersion != catalog.Version) output.WriteLine($"The price was that of configuration {state.Hold.PriceVersion}; the rates below are those of {catalog.Version}.");
        foreach (var line in Lines(catalog, record)) output.WriteLine(line);
        return CommandRun.Done;
    });

    private static IEnumerable<string> Lines(Catalog.ServiceCatalog catalog, UsageRecord record)
    {
        if (!catalog.Operations.TryGetValue(record.Operation, out var operation) || operation.Settings.Get<PriceModel>() is not PriceModel.Metered price) return ["The operation has no metered price now."];
        var usage = new Usage { IsComplete = true };
        foreach (var (unit, count) in record.Charged) usage.Reported[unit] = count;
        var card = price.CardFor(record.Model);
        return card is null ? ["The model has no price now."] : [.. card.Explain(usage), $"together     {card.Charge(usage)}{(price.Minimum is { } least ? $", at least {least}" : "")}, at most what was held"];
    }
}
