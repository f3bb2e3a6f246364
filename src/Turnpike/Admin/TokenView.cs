using Turnpike.Ledger;
using Turnpike.Tokens;

namespace Turnpike.Admin;

/// <summary>Decimal text, so that no reader's floating point gets near it.</summary>
internal sealed record MoneyView(string Amount, string Currency)
{
    public static MoneyView Of(Money money) => new(money.ToDecimal(), money.Currency);
}

/// <summary>A rate: <c>5 requests</c> per <c>1m</c>.</summary>
internal sealed record RateView(string Amount, string Per);

/// <summary>A standing grant: each token of it lives so long (<c>15m</c>) and may spend at most so much (<c>1.00 USD</c>).</summary>
internal sealed record SeriesView(string? Valid, string? Most);

/// <summary>A prepaid token and what is left of it.</summary>
internal sealed record TokenView
{
    public required string Id { get; init; }

    /// <summary>The text its holder presents; recomputed, never stored, and not part of lists.</summary>
    public string? Token { get; init; }

    /// <summary><c>active</c>, <c>frozen</c>, <c>revoked</c>, or <c>expired</c>.</summary>
    public required string Status { get; init; }

    /// <summary>The token that took its place, and has what was left of it.</summary>
    public string? ReplacedBy { get; init; }

    public required MoneyView Budget { get; init; }

    public required MoneyView Left { get; init; }

    public long? Calls { get; init; }

    public long? CallsLeft { get; init; }

    public MoneyView? PerCall { get; init; }

    /// <summary>The operations it opens; empty: all.</summary>
    public required IReadOnlyList<string> Operations { get; init; }

    public RateView? Rate { get; init; }

    /// <summary>The most it may spend, each as <c>1.00 USD per 1d each token</c>.</summary>
    public required IReadOnlyList<string> Caps { get; init; }

    /// <summary>Set for a standing grant.</summary>
    public SeriesView? Series { get; init; }

    /// <summary>The standing grant it spends of.</summary>
    public string? Parent { get; init; }

    /// <summary>Whose it is, as far as that is known.</summary>
    public string? Owner { get; init; }

    /// <summary>Who has to sign every request that presents it; empty: nobody.</summary>
    public required IReadOnlyList<string> BoundTo { get; init; }

    public DateTimeOffset? Expires { get; init; }

    public string? Note { get; init; }

    public required DateTimeOffset Created { get; init; }

    public static async ValueTask<TokenView> OfAsync(Token token, TokenDesk desk, string? text, DateTimeOffset now, CancellationToken ct)
    {
        var (money, calls) = await desk.LeftAsync(token, ct);
        return new TokenView
        {
            Id = token.Id,
            Token = text,
            Status = token.Status == TokenStatus.Active && token.Expires <= now ? "expired" : token.Status.ToString().ToLowerInvariant(),
            ReplacedBy = token.ReplacedBy,
            Budget = MoneyView.Of(token.Budget),
            Left = MoneyView.Of(money),
            Calls = token.Calls,
            CallsLeft = calls,
            PerCall = token.PerCall is { } cap ? MoneyView.Of(cap) : null,
            Operations = token.Operations,
            Rate = token.Rate is { } rate ? new RateView($"{rate.Amount} requests", $"{(long)rate.Per.TotalSeconds}s") : null,
            BoundTo = token.BoundTo,
            Caps = [.. token.Caps.Select(c => c.ToString())],
            Series = token.Series is { } series ? new SeriesView($"{(long)series.Valid.TotalSeconds}s", series.Most.ToString()) : null,
            Parent = token.Parent,
            Owner = token.Owner,
            Expires = token.Expires,
            Note = token.Note,
            Created = token.Created,
        };
    }
}

/// <summary>Tokens, newest first.</summary>
/// <param name="Next">Give it as <c>before</c> for the next page; null at the end.</param>
internal sealed record TokenList(IReadOnlyList<TokenView> Tokens, string? Next);
