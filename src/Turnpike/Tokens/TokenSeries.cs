using System.Globalization;
using Turnpike.Ledger;

namespace Turnpike.Tokens;

/// <summary>What makes a token a standing grant: it is not spent itself, but exchanged for short-lived tokens that spend of it.</summary>
/// <param name="Valid">How long each of them lives.</param>
/// <param name="Most">The most each of them may spend.</param>
internal sealed record TokenSeries(TimeSpan Valid, Money Most)
{
    /// <summary>As it is kept: <c>900 1.00 USD</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(long)Valid.TotalSeconds} {Most}");

    public static TokenSeries? Parse(string? text) => text?.Split(' ', 2) is [var seconds, var most] && long.TryParse(seconds, CultureInfo.InvariantCulture, out var valid) && Money.TryParse(most, out var money) ? new TokenSeries(TimeSpan.FromSeconds(valid), money) : null;
}
