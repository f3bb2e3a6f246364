using System.Globalization;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Pricing;

namespace Turnpike.Admin.Cli.Use;

/// <summary>What a call would cost that nobody made, and why: by the same rates and rules, without the books.</summary>
internal static class PriceEstimate
{
    private const long MostUsed = 1_000_000_000_000_000;

    public static int Tell(Operation operation, PriceCase supposed, TextWriter output, TextWriter err)
    {
        if (!AuditExport.TryTime(supposed.At, TimeProvider.System.GetUtcNow(), out var at)) return CommandRun.Say(err, "--at is a day or a time by ISO 8601, such as 2026-11-21 or 2026-11-21T22:30:00Z.", CommandRun.WrongInput);
        if (!TryUse(supposed.Use, out var used)) return CommandRun.Say(err, "--use is a unit and how many of it, such as output_tokens=300.", CommandRun.WrongInput);
        var price = operation.Settings.Get<PriceModel>();
        output.WriteLine($"for          {operation.Name}: {operation.Method} {operation.Path}");
        output.WriteLine($"price        {PriceSection.Told(price)}");
        if (price is null) return CommandRun.Done;
        var share = ShareOf(price, new PriceOccasion(at, supposed.Plan, supposed.Assurance, supposed.IsVerified, supposed.Busy, supposed.RequestBytes)
        {
            Method = supposed.Method ?? operation.Method, Model = supposed.Model, ServiceTiers = supposed.ServiceTier is { } tier ? [tier] : [],
        }, output);
        switch (price)
        {
            case PriceModel.Fixed { Amount: var amount }: output.WriteLine($"together     {Shared(PriceModel.Share(amount, share), amount, share)}"); break;
            case PriceModel.Session { Amount: var amount }: output.WriteLine($"together     {Shared(PriceModel.Share(amount, share), amount, share)}, once for the session"); break;
            case PriceModel.Metered metered: return TellMetered(metered, supposed.Model, used, share, output, err);
            case PriceModel.CostPlus plus: return TellCostPlus(plus, supposed.Cost, output, err);
            case PriceModel.Asked: output.WriteLine("It is asked for each call: nothing here tells it before."); break;
        }
        return CommandRun.Done;
    }

    /// <summary>The share of the first rule that holds, each rule being told.</summary>
    private static long ShareOf(PriceModel price, PriceOccasion occasion, TextWriter output)
    {
        long? share = null;
        for (var i = 0; i < price.Rules.Count; i++)
        {
            var rule = price.Rules[i];
            var holds = share is null && rule.Reputation is null && rule.Holds(occasion);
            output.WriteLine($"rule {i + 1,-8}{rule.Told}: {(share is not null ? "one before it holds" : rule.Reputation is not null ? "left out, who calls has a reputation and this call nobody made" : holds ? "holds" : "does not hold")}");
            if (holds) share = rule.Hundredths;
        }
        return share ?? PriceRule.Whole;
    }

    private static int TellMetered(PriceModel.Metered price, string? model, Counts used, long share, TextWriter output, TextWriter err)
    {
        if (price.CardOf(price.By is null ? "" : model) is not { } card)
            return CommandRun.Say(err, $"{(model is null ? "--model is wanted" : $"'{model}' has no price and is refused")}: {string.Join(", ", price.Models.Keys.Order(StringComparer.Ordinal))}.", CommandRun.WrongInput);
        if (used.Has(Units.Total)) return CommandRun.Say(err, "total_tokens is a sum: say the tokens in and out, as input_tokens and output_tokens.", CommandRun.WrongInput);
        var usage = new Usage { IsComplete = true };
        foreach (var (unit, count) in used)
        {
            if (!card.Charges(unit)) output.WriteLine($"             {count} {unit}: nothing, it has no rate");
            usage.Reported[unit] = count;
        }
        foreach (var line in card.Explain(usage)) output.WriteLine(line);
        if (card.Priced.Any(unit => card[unit].Over is not null)) output.WriteLine("             What counts over a period is told as dear as it can be there.");
        var (whole, charge) = (card.Charge(usage), card.At(share).Charge(usage));
        output.WriteLine("together     " + (price.Minimum is { } least && charge < least ? $"{least}, the least" : charge > price.Ceiling ? $"{price.Ceiling}, the most, of {charge}" : Shared(charge, whole, share)));
        return CommandRun.Done;
    }

    private static int TellCostPlus(PriceModel.CostPlus price, string? asked, TextWriter output, TextWriter err)
    {
        if (asked is null)
        {
            output.WriteLine("It is known when the upstream has been asked: --cost '0.01 USD' supposes that it asks so much.");
            return CommandRun.Done;
        }
        if (!Money.TryParse(asked, out var cost) || cost.Currency != price.Ceiling.Currency) return CommandRun.Say(err, $"--cost is an amount in {price.Ceiling.Currency}, such as '0.01 {price.Ceiling.Currency}'.", CommandRun.WrongInput);
        var sold = price.PriceOf(cost);
        output.WriteLine(cost > price.Ceiling || sold > price.Ceiling ? $"together     refused: {sold} is more than {price.Ceiling}" : $"together     {sold}, the upstream asking {cost}");
        return CommandRun.Done;
    }

    private static string Shared(Money asked, Money whole, long share) =>
        share == PriceRule.Whole ? asked.ToString() : string.Create(CultureInfo.InvariantCulture, $"{asked}, {share / 100m:0.##}% of {whole}");

    private static bool TryUse(IReadOnlyList<string> texts, out Counts used)
    {
        used = new Counts();
        foreach (var text in texts)
        {
            if (text.Split('=') is not [{ Length: > 0 } unit, var many] || used.Has(unit) || !long.TryParse(many, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > MostUsed) return false;
            used[unit] = count;
        }
        return true;
    }
}
