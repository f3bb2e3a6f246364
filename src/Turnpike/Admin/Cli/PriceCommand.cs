using System.CommandLine;
using System.Globalization;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Pricing;
using Turnpike.Pricing.Periods;

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
        output.WriteLine($"model        {record.Model ?? "none"}{(record.Asked is { } asked && asked != record.Model ? $", asked for {asked}" : "")}");
        output.WriteLine($"usage        {record.Origin}: {record.Charged}");
        output.WriteLine($"observed     {record.Observed}");
        output.WriteLine($"rates        of configuration {state.Hold.PriceVersion}");
        var then = state.Hold.PriceVersion == catalog.Version ? catalog.Operations.GetValueOrDefault(record.Operation)?.Settings.Get<PriceModel>() as PriceModel.Metered : await books.Prices.FindAsync(state.Hold.PriceVersion, record.Operation, ct);
        if (then is null) return CommandRun.Say(err, "These rates are not kept: the call was charged before rates were.", CommandRun.Refused);
        foreach (var line in Lines(then, state, record, await books.Periods.FindAsync(state.Hold.Receipt, ct))) output.WriteLine(line);
        return CommandRun.Done;
    });

    private static IEnumerable<string> Lines(PriceModel.Metered price, HoldState state, UsageRecord record, IReadOnlyList<PeriodTake> takes)
    {
        var usage = new Usage { IsComplete = true, Model = record.Model, InPeriod = takes.ToDictionary(t => t.Unit, t => t.Due, StringComparer.Ordinal) };
        foreach (var (unit, count) in record.Charged) usage.Reported[unit] = count;
        // Charged at the rates of the model that served, where it had some, else of the one that was asked for.
        var name = record.Model is { } served ? price.NameOf(served) : null;
        if ((price.By is null ? price.Models[""] : price.CardOf(name ?? record.Asked ?? record.Model)) is not { } card) { yield return "The model had no rates of its own, and nobody wrote down which was asked for."; yield break; }
        foreach (var line in card.Explain(usage)) yield return line;
        foreach (var take in takes) yield return $"             {take.Unit}: {take.Earlier} came before in the period that ends at {take.Ends:u}";
        if (price.Rules.Select(rule => rule.Hundredths).FirstOrDefault(share => share != PriceRule.Whole && card.At(share).Charge(usage) == state.Captured && card.Charge(usage) != state.Captured) is > 0 and var asked)
            yield return string.Create(CultureInfo.InvariantCulture, $"rule         {asked / 100m:0.##}% of {card.Charge(usage)} was asked");
        yield return $"together     {card.Charge(usage)}{(price.Minimum is { } least ? $", at least {least}" : "")}, at most what was held";
    }
}
