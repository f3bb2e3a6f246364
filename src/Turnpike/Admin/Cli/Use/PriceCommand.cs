using System.CommandLine;
using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Pricing;
using Turnpike.Pricing.Periods;

namespace Turnpike.Admin.Cli.Use;

/// <summary><c>turnpike price explain</c>: how a price came about, from a receipt, or how it would for a call of an operation.</summary>
internal static class PriceCommand
{
    public static Command Create()
    {
        var what = new Argument<string>("receipt or operation") { Description = "The receipt's id, as in the Turnpike-Receipt header, or that URL; or an operation's name." };
        var config = CommandRun.ConfigOption();
        var model = new Option<string?>("--model") { Description = "For an operation: the model that is asked for." };
        var use = new Option<string[]>("--use") { Description = "For an operation: what the call uses, such as output_tokens=300; once for each unit.", HelpName = "unit=count" };
        var at = new Option<string?>("--at") { Description = "For an operation: when, by ISO 8601, such as 2026-11-21T22:30:00Z. Now, unless it is said." };
        var plan = new Option<string?>("--plan") { Description = "For an operation: the caller's plan." };
        var assurance = new Option<Assurance>("--assurance") { Description = "For an operation: how surely it is known who calls." };
        var verified = new Option<bool>("--verified") { Description = "For an operation: the caller is a verified agent." };
        var busy = new Option<long>("--busy") { Description = "For an operation: how many calls of it are in progress, this one too.", DefaultValueFactory = _ => 1 };
        var size = new Option<long>("--request-bytes") { Description = "For an operation: the size of the request's body." };
        var method = new Option<string?>("--method") { Description = "For an operation of several methods: the one that is called." };
        var tier = new Option<string?>("--service-tier") { Description = "For an operation: how the request asks its provider to be served, such as priority." };
        var cost = new Option<string?>("--cost") { Description = "For an operation sold at its cost and a margin: what the upstream asks, such as '0.01 USD'." };
        var explain = new Command("explain", "Tell how a call's price came about: its units, their rates, and what was taken. Or how it would, for a call of an operation.\nExample: turnpike price explain r_0agsm11m22xq7bh5kcr54agti4\nExample: turnpike price explain chat --model gpt-4o --use input_tokens=1200 --use output_tokens=300 --plan pro") { what, config, model, use, at, plan, assurance, verified, busy, size, method, tier, cost };
        explain.SetAction((p, ct) => ExplainAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(what)!, Console.Out, Console.Error, ct, new PriceCase
        {
            Model = p.GetValue(model),
            Use = p.GetValue(use) ?? [],
            At = p.GetValue(at),
            Plan = p.GetValue(plan),
            Assurance = p.GetValue(assurance),
            IsVerified = p.GetValue(verified),
            Busy = p.GetValue(busy),
            RequestBytes = p.GetValue(size),
            Method = p.GetValue(method),
            ServiceTier = p.GetValue(tier),
            Cost = p.GetValue(cost),
        }));
        return new Command("price", "Prices: what a call costs, and why.") { explain };
    }

    public static Task<int> ExplainAsync(string config, ConfigEnvironment environment, string what, TextWriter output, TextWriter err, CancellationToken ct, PriceCase? supposed = null) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        if (catalog.Operations.GetValueOrDefault(what) is { } operation) return PriceEstimate.Tell(operation, supposed ?? new PriceCase(), output, err);
        using var books = CommandBooks.Look(catalog);
        if (await books.Ledger.FindByReceiptAsync(what[(what.LastIndexOf('/') + 1)..], ct) is not { } state) return CommandRun.Say(err, "No receipt has this id, and no operation this name.", CommandRun.Refused);
        output.WriteLine($"for          {state.Hold.Operation}: {state.Hold.Request}");
        output.WriteLine($"held         {state.Hold.Ceiling}");
        output.WriteLine($"taken        {state.Captured}");
        var record = await books.Usage.FindByReceiptAsync(state.Hold.Receipt, ct);
        if (record is not null)
        {
            output.WriteLine($"model        {record.Model ?? "none"}{(record.Asked is { } asked && asked != record.Model ? $", asked for {asked}" : "")}");
            output.WriteLine($"usage        {record.Origin}: {record.Charged}");
            output.WriteLine($"observed     {record.Observed}");
        }
        if (!Money.IsMoney(state.Hold.Ceiling.Currency))
        {
            output.WriteLine($"paid by the plan: {state.Captured}");
            return CommandRun.Done;
        }
        output.WriteLine($"rates        of configuration {state.Hold.PriceVersion}");
        var isOfToday = state.Hold.PriceVersion == catalog.Version;
        var then = isOfToday ? catalog.Operations.GetValueOrDefault(state.Hold.Operation)?.Settings.Get<PriceModel>() : await books.Prices.FindAsync(state.Hold.PriceVersion, state.Hold.Operation, ct);
        if (then is PriceModel.Metered price && record is not null)
            foreach (var line in Lines(price, state, record, await books.Periods.FindAsync(state.Hold.Receipt, ct))) output.WriteLine(line);
        else output.WriteLine(KnownBefore(then, state));
        return CommandRun.Done;
    });

    /// <summary>What was agreed on before the call, whatever it used.</summary>
    private static string KnownBefore(PriceModel? then, HoldState state) => then switch
    {
        PriceModel.Fixed { Amount: var amount } => $"price        {Asked(amount, then, state)}: nothing of its use was priced",
        PriceModel.Session { Amount: var amount } session => $"price        {Asked(amount, then, state)} for a session of {Shapes.Tell(session.Lasts)}",
        null => "Of other configurations only rates by use are kept: what was held was known before the call, or its rates are older than that.",
        _ => $"price        {PriceSection.Told(then)}: {state.Hold.Ceiling} for this call",
    };

    private static string Asked(Money amount, PriceModel price, HoldState state) =>
        amount != state.Hold.Ceiling && price.Rules.FirstOrDefault(rule => PriceModel.Share(amount, rule.Hundredths) == state.Hold.Ceiling) is { } rule ? $"{state.Hold.Ceiling}, of {amount} by the rule {rule.Told}" : state.Hold.Ceiling.ToString();

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

/// <summary>A call that nobody made, to tell what it would cost.</summary>
internal sealed record PriceCase
{
    public string? Model { get; init; }

    /// <summary>Each as <c>output_tokens=300</c>.</summary>
    public IReadOnlyList<string> Use { get; init; } = [];

    /// <summary>By ISO 8601; null: now.</summary>
    public string? At { get; init; }

    public string? Plan { get; init; }

    public Assurance Assurance { get; init; }

    public bool IsVerified { get; init; }

    public long Busy { get; init; } = 1;

    public long RequestBytes { get; init; }

    /// <summary>Of HTTP; null: the operation's own.</summary>
    public string? Method { get; init; }

    /// <summary>How the request asks its provider to be served.</summary>
    public string? ServiceTier { get; init; }

    /// <summary>What the upstream asks, where that makes the price.</summary>
    public string? Cost { get; init; }
}
