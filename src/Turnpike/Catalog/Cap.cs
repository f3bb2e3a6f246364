using Turnpike.Catalog.Loading;
using Turnpike.Ledger;

namespace Turnpike.Catalog;

/// <summary>The most that may be spent, whatever way it is paid.</summary>
/// <param name="Per">In each of these periods; null: in all.</param>
/// <param name="Each">Whom it holds for.</param>
internal sealed record Cap(Money Amount, Period? Per, CapScope Each)
{
    /// <summary>As it is kept and written: <c>5.00 USD per 1d each key</c>.</summary>
    public override string ToString() => $"{Amount}{(Per is { } per ? $" per {per.Text}" : "")} each {Text(Each)}";

    /// <summary>Reads <c>5.00 USD</c>, <c>5.00 USD per 1d</c>, <c>5.00 USD per 1d each key</c>.</summary>
    public static bool TryParse(string? text, CapScope usual, out Cap cap)
    {
        cap = null!;
        var words = (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 2 || !Money.TryParse($"{words[0]} {words[1]}", out var amount) || amount.IsZero || !Money.IsMoney(amount.Currency)) return false;
        Period? per = null;
        var (each, at) = (usual, 2);
        if (words.ElementAtOrDefault(at) == "per" && PeriodShape.TryRead(words.ElementAtOrDefault(at + 1), out per)) at += 2;
        if (words.ElementAtOrDefault(at) == "each" && Enum.TryParse(words.ElementAtOrDefault(at + 1), ignoreCase: true, out each) && Text(each) == words[at + 1]) at += 2;
        cap = new Cap(amount, per, each);
        return at == words.Length;
    }

    public static string Text(CapScope scope) => scope switch
    {
        CapScope.Organisation => "organisation",
        CapScope.Caller => "caller",
        CapScope.Key => "key",
        CapScope.Token => "token",
        _ => "task",
    };
}

/// <summary>Whom a cap holds for, from the largest to the smallest.</summary>
internal enum CapScope
{
    /// <summary>All callers of an organisation together.</summary>
    Organisation,

    Caller,

    /// <summary>Each of a caller's keys.</summary>
    Key,

    /// <summary>Each prepaid token.</summary>
    Token,

    /// <summary>Each task that the header Turnpike-Task names.</summary>
    Task,
}
