using Turnpike.Ledger;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.Tests.Simulation.Histories;

/// <summary>A budget with single-use ids, as threads ask a ledger for it and as it is specified.</summary>
internal static class BudgetObject
{
    /// <summary>What a thread asks of a budget.</summary>
    internal sealed record Ask(string Verb, string Id, long Cents = 0);

    /// <summary>A budget and its holds, sequentially: what is left, and where each hold stands.</summary>
    internal sealed record Budget(long Left, string Holds)
    {
        public string? Of(string id) => Holds.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(h => h.StartsWith(id + "=", StringComparison.Ordinal))?[(id.Length + 1)..];

        public Budget With(string id, string state, long moved) =>
            new(Left + moved, string.Join(' ', Holds.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(h => !h.StartsWith(id + "=", StringComparison.Ordinal)).Append($"{id}={state}").Order(StringComparer.Ordinal)));
    }

    public static Ask Some(Random random, int round)
    {
        var id = $"{round}:h{random.Next(3)}";
        return random.Next(6) switch
        {
            0 or 1 or 2 => new("hold", id, random.Next(1, 3)),
            3 => new("take", id),
            4 => new("release", id),
            _ => new("left", id),
        };
    }

    public static async Task<string> DoAsync(ILedger ledger, string account, Ask ask)
    {
        try
        {
            switch (ask.Verb)
            {
                case "hold":
                    return await ledger.HoldAsync(Hold(ask.Id, Usd(ask.Cents), account, receipt: $"{ask.Id}:{Guid.CreateVersion7()}"), default) switch
                    {
                        HoldResult.Held => "held",
                        HoldResult.AlreadyUsed used => "used " + used.State.Status,
                        _ => "poor",
                    };
                case "take": return "took " + (await ledger.CaptureAsync(Capture(ask.Id, Usd(1), "tx"), default)).Captured;
                case "release": await ledger.ReleaseAsync(ask.Id, "over", [], default); return "released";
                default: return "left " + await ledger.AvailableAsync(account, "USD", default);
            }
        }
        catch (LedgerException) { return "refused"; }
    }

    /// <summary>The specification, as small as it can be said.</summary>
    public static Budget? Sequentially(Budget budget, Ask ask, string? answer)
    {
        var known = budget.Of(ask.Id);
        var cents = known is null ? 0 : long.Parse(known[1..], System.Globalization.CultureInfo.InvariantCulture);
        switch (ask.Verb)
        {
            case "hold" when known is null || known[0] == 'r':
                if (budget.Left < ask.Cents) return answer == "poor" ? budget : null;
                return answer == "held" ? budget.With(ask.Id, "h" + ask.Cents, -ask.Cents) : null;
            case "hold": return answer == (known![0] == 'h' ? "used Held" : "used Settled") ? budget : null;
            case "take" when known is null || known[0] == 'r': return answer == "refused" ? budget : null;
            case "take":
                return answer == $"took {Usd(1)}" ? budget.With(ask.Id, "t1", known![0] == 'h' ? cents - 1 : 0) : null; // the rest goes back
            case "release" when known is null || known[0] == 't': return answer == "refused" ? budget : null;
            case "release": return answer == "released" ? budget.With(ask.Id, "r0", known![0] == 'h' ? cents : 0) : null;
            default: return answer == $"left {Usd(budget.Left)}" ? budget : null;
        }
    }
}
