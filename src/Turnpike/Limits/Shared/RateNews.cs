using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Limits.Shared;

/// <summary>What one node took under some of its rules; a heartbeat when it took nothing.</summary>
/// <param name="From">The node's incarnation.</param>
internal sealed record RateNews(string From, IReadOnlyList<RateTaken> Taken)
{
    private const int MostBytes = 7_500; // a notification carries 7,999

    /// <summary>As many messages as it takes.</summary>
    public static IEnumerable<string> Write(string from, IEnumerable<RateTaken> taken)
    {
        List<RateTaken> some = [];
        var bytes = 0;
        foreach (var one in taken)
        {
            var size = Encoding.UTF8.GetByteCount(JsonSerializer.Serialize(one, RateNewsJson.Default.RateTaken)) + 1;
            if (size > MostBytes) continue; // whoever is counted under so long a name is counted by each node alone
            if (bytes + size > MostBytes)
            {
                yield return JsonSerializer.Serialize(new RateNews(from, some), RateNewsJson.Default.RateNews);
                (some, bytes) = ([], 0);
            }
            some.Add(one);
            bytes += size;
        }
        yield return JsonSerializer.Serialize(new RateNews(from, some), RateNewsJson.Default.RateNews);
    }

    /// <summary>Null: not of this release.</summary>
    public static RateNews? Read(string text)
    {
        try { return JsonSerializer.Deserialize(text, RateNewsJson.Default.RateNews); }
        catch (JsonException) { return null; }
    }
}

/// <summary>So much was taken under a rule by one key; at once: so much there is.</summary>
internal sealed record RateTaken(string Rule, string Who, long Count, long Amount, string Unit, long Per, RateCount Kind, long Burst)
{
    public static RateTaken Of(RateRule rule, string who, long count) =>
        new(rule.Id, who, count, rule.Amount.Units, rule.Amount.Currency, rule.Per?.Ticks ?? 0, rule.Count, rule.Burst?.Units ?? rule.Amount.Units);

    /// <summary>The rule as the sender has it: this node may not have met it yet.</summary>
    public RateRule ToRule() => new(Rule, Rule, new Money(Amount, Unit), Per == 0 ? null : new TimeSpan(Per)) { Count = Kind, Burst = new Money(Burst, Unit) };
}

/// <summary>The JSON between nodes.</summary>
[JsonSerializable(typeof(RateNews))]
internal sealed partial class RateNewsJson : JsonSerializerContext;
