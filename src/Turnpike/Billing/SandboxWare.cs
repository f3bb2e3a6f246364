using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Tokens;

namespace Turnpike.Billing;

/// <summary>What the sandbox checkout sells: the right to call one operation, for at least one call and at most so much.</summary>
internal sealed record SandboxWare(Operation Operation, Money Price, Money Most, PrepaidSettings Prepaid, Uri Gateway, string CallPath)
{
    private const int UsualCalls = 5;

    public Money Usual => Price with { Units = checked(Price.Units * UsualCalls) };

    public string Url => $"{Gateway.GetLeftPart(UriPartial.Authority)}/buy/{Operation.Name}";

    /// <summary>The same as the pages of bundles know it.</summary>
    public BundleWare ToBundles() => new(Operation, Prepaid with { Bundles = [] }, null, [], Gateway, CallPath) { Notice = SandboxPages.Notice };

    /// <summary>What a budget may be, as a sentence.</summary>
    public string Bounds => $"A budget is between {Price} and {Most}.";

    /// <summary>Reads <c>0.05</c> or <c>0.05 USD</c>; null is the usual budget.</summary>
    public bool TryBudget(string? text, out Money budget)
    {
        budget = Usual;
        if (text is null) return true;
        return (Money.TryParse(text, out budget) || Money.TryParse(text.Trim(), Price.Currency, out budget)) && budget.Currency == Price.Currency && budget >= Price && budget <= Most;
    }

    /// <summary>What is sold, and how to buy it.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteBoolean("sandbox", true);
        json.WriteString("notice", SandboxPages.Notice);
        json.WriteString("operation", Operation.Name);
        if (Operation.Description is { } description) json.WriteString("description", description);
        Write(json, "price", Price);
        json.WriteStartObject("buy");
        json.WriteString("method", "POST");
        json.WriteString("url", Url);
        json.WriteString("format", "JSON {\"budget\": \"0.05 USD\"}; with \"token\" to top one up");
        Write(json, "least", Price);
        Write(json, "most", Most);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, Money money)
    {
        json.WriteStartObject(name);
        json.WriteString("amount", money.ToDecimal());
        json.WriteString("currency", money.Currency);
        json.WriteEndObject();
    }
}
