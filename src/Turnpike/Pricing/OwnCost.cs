using System.Collections.Frozen;
using Turnpike.Ledger;
using Turnpike.Metering;

namespace Turnpike.Pricing;

/// <summary>What a delivered call costs the owner: an amount, or rates by unit, by model where they name some.</summary>
internal sealed record OwnCost(Money Amount, FrozenDictionary<string, RateCard> Models)
{
    /// <summary>Null for a model whose cost nobody wrote down: what is not known is not told as nothing.</summary>
    public Money? Of(Usage usage, string? asked)
    {
        if (Models.Count == 0) return Amount;
        var name = usage.Model is { } served && Models.ContainsKey(served) ? served : usage.Model is { } dated ? Models.Keys.Where(m => m.Length > 0 && MeteredQuote.IsDated(dated, m)).MaxBy(m => m.Length) : null;
        return (name ?? (Models.ContainsKey(asked ?? "") ? asked ?? "" : Models.ContainsKey("") ? "" : null)) is { } known ? Amount + Models[known].Charge(usage) : null;
    }
}
