using System.Collections.Frozen;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Metering;
using Turnpike.Metering.Formats;
using Turnpike.Pricing.Requests;
using Turnpike.Metering.Reading;

namespace Turnpike.Pricing;

/// <summary>The <c>price:</c> of an operation: <c>free</c>, an amount, or a map. It has to be said: nothing is free by omission.</summary>
internal static class PriceSection
{
    private const long Million = 1_000_000, MostTokens = 10_000_000;

    private static readonly Shape<string> Path = new ScalarShape<string>("a path such as $.items[*]", (string t, out string? v) => PathNode.Check(v = t), @"^\$");

    private static readonly Key<Money> Amount = new("amount", Shapes.Money, "The same amount for every delivered answer.") { Default = "metered, by the keys below", Example = "0.01 USD" };
    private static readonly Key<RateTable> PerMillion = new("per-million", new RateTableShape(Million), "Prices for a million of each unit, by model where by names one.") { Default = "none", Example = "{ gpt-4o: { input_tokens: 2.50 USD, output_tokens: 10.00 USD } }" };
    private static readonly Key<RateTable> PerUnit = new("per-unit", new RateTableShape(1), "Prices for one of each unit: an amount, graduated or volume tiers, or packages.") { Default = "none", Example = "{ minutes: 0.05 USD }" };
    private static readonly Key<Money> PerRecord = new("per-record", Shapes.Money, "The price of one record of a JSON answer; count says what a record is. The answer is counted before it leaves.") { Default = "none", Example = "0.002 USD" };
    private static readonly Key<string> Count = new("count", Path, "Where records stand in the answer.") { Default = "none", Example = "\"$.items[*]\"" };
    private static readonly Key<Money> Ceiling = new("ceiling", Shapes.Money, "The most one call may hold and cost.") { Default = "none; a metered price needs one", Example = "0.50 USD" };
    private static readonly Key<ModelPlace> By = new("by", new ScalarShape<ModelPlace>("where the request names its model: members alone such as $.model, or a part of the path such as path:model",
        (string t, out ModelPlace? v) => (v = ModelPlace.Parse(t)) is null ? "names no model; write $.model for a member of the body or a field of a form, or path:NAME for a part of the path" : null, @"^(\$\.|path:)"),
        "Where the request names its model: in its body ($.model, also a field of a form), or a part of its path (path:NAME).") { Default = "the same price for all", Example = "$.model" };
    private static readonly Key<string> OtherModels = new("other-models", Shapes.Text, "refuse a model without a price, or the name of the one whose price it has.") { Default = "refuse", Example = "refuse" };
    private static readonly Key<long> DefaultMaximum = new("default-max-tokens", Shapes.Integer(1, MostTokens), "Written into requests that name no maximum.") { Default = "none: such a request holds the ceiling", Example = "1000" };
    private static readonly Key<Money> Minimum = new("minimum", Shapes.Money, "The least a delivered answer costs; with cost-plus, however little the upstream asks.") { Default = "nothing", Example = "0.001 USD" };

    private static readonly Key<Money> PerSession = new("per-session", Shapes.Money, "Paid once; then the operation is open to whoever sends the Turnpike-Session header of the paid answer, for as long as lasts says.") { Default = "none", Example = "0.50 USD" };
    private static readonly Key<TimeSpan> Lasts = new("lasts", Shapes.Duration, "How long a session lasts.") { Default = "none; a price per session needs it", Example = "1h" };
    private static readonly Key<IReadOnlyList<PriceRule>> Rules = new("rules", RuleSection.Shape, "When more or less of the price is asked; the first that holds counts.") { Default = "always all of it", Example = "[{ hours: \"22:00-06:00\", time-zone: Europe/Berlin, percent: 50% }]" };

    private static readonly Key<Uri> Url = new("url", Shapes.Url, "Is posted operation, method, target, caller, plan and assurance, and answers {\"amount\": \"0.012\"}.") { Required = true, Example = "https://prices.example/quote" };
    private static readonly Key<Secret> Token = new("token", new SecretShape(), "Sent as a bearer token.") { Default = "none", Example = "${env:PRICER_TOKEN}" };
    private static readonly Key<TimeSpan> Timeout = new("timeout", Shapes.Duration, "How long it is waited for.") { Default = "1s", Example = "1s" };
    private static readonly Key<TimeSpan> Keep = new("keep", Shapes.Duration, "How long its last answer for the same question is used while it is silent; after that nothing is sold.") { Default = "1h", Example = "1h" };
    private static readonly Key<AskedDraft> Pricer = new("pricer", new MapShape<AskedDraft>([Url, Token, Timeout, Keep],
        m => new AskedDraft(m.Get(Url)!, m.IsWritten(Token) ? m.Get(Token) : null, m.Get(Timeout, TimeSpan.FromSeconds(1)), m.Get(Keep, TimeSpan.FromHours(1)))), "Somebody outside says the price, up to the ceiling.")
    { Default = "none", Example = "{ url: https://prices.example/quote, timeout: 1s }" };

    private static readonly Key<string> CostPlus = new("cost-plus", new ScalarShape<string>("a percentage such as 20%, from 0% to 1000%, at most two decimals",
        (string t, out string? v) => OnTop(v = t) is null ? "is no percentage; write 20% or 2.5%, from 0% to 1000%" : null, @"^[0-9]{1,4}(\.[0-9]{1,2})?%$"), "What the upstream asks for this very call, and so much on top; the service needs pays.") { Default = "none", Example = "20%" };
    private static readonly Key<Money> Margin = new("margin", Shapes.Money, "With cost-plus: an amount on top.") { Default = "nothing", Example = "0.002 USD" };

    private static readonly Shape<PriceModel?> Short = new ScalarShape<PriceModel?>("free, or an amount of money such as 0.01 USD", ReadShort, @"^free$|^[0-9]+(\.[0-9]{1,9})? +[A-Z]{3}$");

    private static readonly Shape<PriceModel> Map = new MapShape<PriceModel>([Amount, PerMillion, PerUnit, PerRecord, Count, Ceiling, By, OtherModels, DefaultMaximum, Minimum, PerSession, Lasts, Pricer, CostPlus, Margin, Rules], Build);

    private static readonly Key<PriceModel?> Key = new("price", new ShortOrMapShape<PriceModel?>(Short, Map!), "What a delivered answer costs: free, an amount, or a map.") { Required = true, IsVersioned = true, Example = "0.01 USD" };

    public static readonly Section Section = new(Scope.Operation, Key) { TellOperation = (_, operation) => Told(operation.Settings.Get<PriceModel>()), Check = Check };

    /// <summary>What is metered is charged by what passed, whatever comes about; and nothing is owed for what is free.</summary>
    private static void Check(Draft draft)
    {
        foreach (var operation in draft.Operations)
        {
            if (operation.Settings.Get<PriceModel>() is not { AsksRequest: true } price) continue;
            if (operation.Settings.Get<UsageSettings>() is not { Format: not NoFormat }) draft.At(operation, "price").Refuse("a rule by model or service-tier needs usage to name a provider's format: nothing else reads requests");
            else if (price is PriceModel.Metered { By: not null, OtherModels: null } metered && price.Rules.SelectMany(rule => rule.Models).FirstOrDefault(model => !metered.Models.Keys.Any(key => MeteredQuote.IsDated(key, model))) is { } unknown)
                draft.At(operation, "price").Refuse($"a rule is for '{Reading.Shown(unknown)}', which is none of the models with a price");
        }
        foreach (var operation in draft.Operations.Where(o => o.ChargeOn.On != ChargeMoment.Success))
            if (operation.Settings.Get<PriceModel>() is null) draft.At(operation, "charge-on").Refuse("nothing is charged for what is free");
            else if (operation.Settings.Get<PriceModel>() is PriceModel.Metered) draft.At(operation, "charge-on").Refuse("a metered price is charged by what passed; charge-on belongs to one price for the whole answer");
    }

    /// <summary>A price as <c>check</c> tells it.</summary>
    public static string Told(PriceModel? price) => price switch
    {
        null => "free",
        PriceModel.Fixed { Amount: var amount } => amount.ToString(),
        PriceModel.Metered { By: null } metered => $"by {string.Join(", ", metered.Models[""].Priced)}, at most {metered.Ceiling}",
        PriceModel.Metered metered => $"by use, {metered.Models.Count} model{(metered.Models.Count == 1 ? "" : "s")}, at most {metered.Ceiling}",
        PriceModel.Session session => $"{session.Amount} per session of {Shapes.Tell(session.Lasts)}",
        PriceModel.CostPlus plus => $"what the upstream asks{(plus.Hundredths == 0 ? "" : $" and {plus.Hundredths / 100m:0.##}%")}{(plus.Margin.IsZero ? "" : $" and {plus.Margin}")}{(plus.Floor > plus.Margin ? $", at least {plus.Floor}" : "")}, at most {plus.Ceiling}",
        PriceModel.Asked asked => $"as {asked.Url.Authority} says, at most {asked.Ceiling}",
        _ => price.ToString() ?? "",
    } + (price is { Rules.Count: > 0 } ? $", {price.Rules.Count} rule{(price.Rules.Count == 1 ? "" : "s")}" : "");

    /// <summary>A price as a document of another time had it; null when it is none any more.</summary>
    public static PriceModel? Read(string written)
    {
        var reading = new Reading(ConfigEnvironment.Process);
        return YamlReader.Read(written, static (_, _, _) => { }) is { } node && Map.TryRead(new Spot(node, "", reading), out var price) ? price : null;
    }

    private static string? ReadShort(string text, out PriceModel? price)
    {
        price = null;
        if (text == "free") return null;
        if (!Money.TryParse(text, out var amount) || !Money.IsMoney(amount.Currency)) return "is no price; write free, or an amount such as 0.01 USD with at most nine decimals";
        if (amount.IsZero) return "is nothing; what costs nothing is free";
        price = new PriceModel.Fixed(amount);
        return null;
    }

    private static PriceModel? Build(MapValues m)
    {
        if (m.IsWritten(PerSession) != m.IsWritten(Lasts)) return Refuse(m.At, "per-session and lasts belong together: what a session costs, and how long it is");
        if (m.IsWritten(Amount)) return Alone(m, Amount) ? new PriceModel.Fixed(m.Get(Amount)) { Rules = m.Get(Rules, []) } : null;
        if (m.IsWritten(PerSession)) return Alone(m, PerSession, Lasts) ? new PriceModel.Session(m.Get(PerSession), m.Get(Lasts)) { Rules = m.Get(Rules, []) } : null;
        if (m.Get(Pricer) is { } pricer)
        {
            if (m.IsWritten(Rules)) return Refuse(m.Of(Rules), "who says the price has its own rules");
            if (!m.IsWritten(Ceiling)) return Refuse(m.At, "what somebody outside says needs a ceiling, the most one call may cost");
            return Alone(m, Pricer, Ceiling) ? new PriceModel.Asked(pricer.Url, pricer.Token, pricer.Timeout, pricer.Keep, m.Get(Ceiling)) : null;
        }
        if (m.IsWritten(CostPlus) || m.IsWritten(Margin)) return BuildCostPlus(m);
        if (!m.IsWritten(PerMillion) && !m.IsWritten(PerUnit) && !m.IsWritten(PerRecord)) return Refuse(m.At, "a price needs amount, per-million, per-unit, per-record, per-session, pricer or cost-plus");
        if (m.IsWritten(PerRecord) != m.IsWritten(Count)) return Refuse(m.At, "per-record and count belong together: what a record costs, and what one is");
        if (!m.IsWritten(Ceiling)) return Refuse(m.At, "a metered price needs a ceiling, the most one call may cost");
        return BuildMetered(m);
    }

    private static PriceModel? BuildCostPlus(MapValues m)
    {
        if (m.IsWritten(Rules)) return Refuse(m.Of(Rules), "what an upstream asks is not ours to share out; rules belong to an amount");
        if (!m.IsWritten(Ceiling)) return Refuse(m.At, "what an upstream asks needs a ceiling, the most one call may cost");
        var (ceiling, margin) = (m.Get(Ceiling), m.IsWritten(Margin) ? m.Get(Margin) : Money.Zero(m.Get(Ceiling).Currency));
        if (margin.Currency != ceiling.Currency || margin >= ceiling) return Refuse(m.Of(Margin), $"a margin is below the ceiling, {ceiling}");
        var floor = m.IsWritten(Minimum) ? m.Get(Minimum) : margin;
        if (floor.Currency != ceiling.Currency || floor > ceiling) return Refuse(m.Of(Minimum), $"a minimum is at most the ceiling, {ceiling}");
        return Alone(m, CostPlus, Margin, Ceiling, Minimum) ? new PriceModel.CostPlus(OnTop(m.Get(CostPlus) ?? "0%")!.Value, margin, ceiling, floor) : null;
    }

    private static long? OnTop(string text) =>
        text.EndsWith('%') && decimal.TryParse(text.AsSpan(0, text.Length - 1), System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var percent) && percent <= 1000 && decimal.Round(percent, 2) == percent ? (long)(percent * 100) : null;

    /// <summary>Refuses what means nothing beside the price that was written.</summary>
    private static bool Alone(MapValues m, params Key[] written)
    {
        Key[] all = [Amount, PerMillion, PerUnit, PerRecord, Count, Ceiling, By, OtherModels, DefaultMaximum, Minimum, PerSession, Lasts, Pricer, CostPlus, Margin];
        return all.FirstOrDefault(key => m.IsWritten(key) && !written.Contains(key)) is not { } other || m.Of(other).Refuse($"'{other.Name}' belongs to a metered price; beside '{written[0].Name}' it means nothing");
    }

    private static PriceModel? BuildMetered(MapValues m)
    {
        var ceiling = m.Get(Ceiling);
        var by = m.Get(By);
        var models = new Dictionary<string, Dictionary<string, Rate>>(StringComparer.Ordinal);
        foreach (var key in new[] { PerMillion, PerUnit })
            if (m.Get(key) is { } table && !table.AddTo(models, m.Of(key), by is not null, ceiling.Currency)) return null;
        if (m.IsWritten(PerRecord))
        {
            if (m.Get(PerRecord).Currency != ceiling.Currency) return Refuse(m.Of(PerRecord), $"the ceiling is in {ceiling.Currency}");
            if (by is not null) return Refuse(m.Of(By), "a price per record knows no models");
            Of(models, "")[Units.Records] = new Rate.Flat(m.Get(PerRecord).Units, 1);
        }
        if (m.IsWritten(PerRecord) && models[""].Values.Any(rate => rate.Over is not null)) return Refuse(m.Of(PerRecord), "it is counted before the answer leaves, and what counts over a period afterwards: tell records by usage (records: \"$.items[*]\") and price them per-unit");
        var other = m.Get(OtherModels) is { } named and not "refuse" ? named : null;
        if (other is not null && (by is null || !models.ContainsKey(other))) return Refuse(m.Of(OtherModels), $"'{Reading.Shown(other)}' is none of the models with a price");
        if (m.IsWritten(Minimum) && (m.Get(Minimum).Currency != ceiling.Currency || m.Get(Minimum) > ceiling)) return Refuse(m.Of(Minimum), $"the minimum is at most the ceiling, {ceiling}");
        return new PriceModel.Metered
        {
            Written = NodeText.Of(m.At),
            Ceiling = ceiling,
            Models = models.ToFrozenDictionary(p => p.Key, p => new RateCard(ceiling.Currency, p.Value), StringComparer.Ordinal),
            By = by,
            OtherModels = other,
            DefaultMaximum = m.IsWritten(DefaultMaximum) ? m.Get(DefaultMaximum) : null,
            Minimum = m.IsWritten(Minimum) ? m.Get(Minimum) : null,
            Withholds = m.IsWritten(PerRecord),
            Count = m.Get(Count),
            Rules = m.Get(Rules, []),
        };
    }

    /// <summary>The rates of a model, made when it is new.</summary>
    public static Dictionary<string, Rate> Of(Dictionary<string, Dictionary<string, Rate>> models, string model) =>
        models.TryGetValue(model, out var known) ? known : models[model] = new(StringComparer.Ordinal);

    private static PriceModel? Refuse(Spot at, string message)
    {
        at.Refuse(message);
        return null;
    }

    /// <summary>A pricer as written; its ceiling stands beside it.</summary>
    private sealed record AskedDraft(Uri Url, Secret? Token, TimeSpan Timeout, TimeSpan Keep);
}
