using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Storage;
using Turnpike.Tokens;

namespace Turnpike.Admin;

/// <summary>An order for a token, as JSON and as the command's options say it: in the words of turnpike.yaml.</summary>
/// <param name="Budget">What it may spend in all, <c>5.00 USD</c>.</param>
/// <param name="Calls">How many calls it may make.</param>
/// <param name="PerCall">The most one call may cost, <c>0.10 USD</c>.</param>
/// <param name="Operations">The operations it opens; left out: all.</param>
/// <param name="Valid">How long, <c>30d</c>; left out: for good.</param>
/// <param name="BoundTo">Who has to sign every request that presents it: <c>jkt:…</c>, an agent's address, <c>wallet:0x…</c>.</param>
/// <param name="Caps">The most it may spend, each as <c>1.00 USD per 1d</c> or <c>0.50 USD each task</c>.</param>
/// <param name="Series">Makes it a standing grant, which is exchanged for short-lived tokens.</param>
/// <param name="Owner">Whose it is: money may be moved between tokens of one owner.</param>
internal sealed record TokenBody(string Budget, long? Calls = null, string? PerCall = null, IReadOnlyList<string>? Operations = null, RateView? Rate = null, string? Valid = null, string? Note = null, IReadOnlyList<string>? BoundTo = null, IReadOnlyList<string>? Caps = null, SeriesView? Series = null, string? Owner = null);

/// <summary>Reads orders and issues them, once for each idempotency key.</summary>
internal sealed class TokenOrders(TokenDesk desk, InstallationStore keys) : IDisposable
{
    private const int MostNote = 500, MostOwner = 128;
    private readonly SemaphoreSlim one = new(1);

    /// <summary>The order, or a sentence saying what is wrong with it.</summary>
    public static (TokenOrder? Order, string Error) Read(TokenBody body, ServiceCatalog catalog)
    {
        if (!Money.TryParse(body.Budget, out var budget) || !Money.IsMoney(budget.Currency) || budget.IsZero) return (null, "budget: write an amount above zero, such as 5.00 USD.");
        var order = new TokenOrder(budget) { Calls = body.Calls, Note = body.Note };
        if (body.Calls <= 0) return (null, "calls: at least 1.");
        if (body.PerCall is not null)
        {
            if (!Money.TryParse(body.PerCall, out var cap) || cap.IsZero || cap.Currency != budget.Currency) return (null, $"perCall: write an amount above zero in {budget.Currency}, such as 0.10 {budget.Currency}.");
            order = order with { PerCall = cap };
        }
        foreach (var name in body.Operations ?? [])
            if (!catalog.Operations.ContainsKey(name ?? "")) return (null, $"operations: nothing sold here is called '{name}'.");
        order = order with { Operations = [.. (body.Operations ?? []).Distinct()] };
        var (caps, wrongCap) = Callers.CallerOrders.ReadCaps(body.Caps, CapScope.Token);
        if (wrongCap is not null || caps.Any(c => c.Amount.Currency != budget.Currency)) return (null, wrongCap ?? $"caps: each is in {budget.Currency}.");
        if (WrongOwner(body.Owner) is { } wrongOwner) return (null, wrongOwner);
        order = order with { Caps = caps, Owner = body.Owner };
        if (body.Series is { } series)
        {
            if (!Shapes.TryDuration(series.Valid ?? "", out var each)) return (null, "series.valid: write 5m, 1h or 1d: how long each token lives.");
            if (!Money.TryParse(series.Most, out var part) || part.IsZero || part.Currency != budget.Currency) return (null, $"series.most: write the most each token may spend, such as 1.00 {budget.Currency}.");
            order = order with { Series = new TokenSeries(each, part) };
        }
        if (body.Rate is { } rate)
        {
            if (!Money.TryParse(rate.Amount, out var amount) || amount.Currency != "requests" || amount.IsZero) return (null, "rate.amount: write a number of requests, such as 5 requests.");
            if (!Shapes.TryDuration(rate.Per ?? "", out var per)) return (null, "rate.per: write 30s, 5m, 1h, 1d or 1mo.");
            order = order with { Rate = new RateLimit(amount.Units, per, []) };
        }
        foreach (var signer in body.BoundTo ?? [])
            if (SignerName.Read(signer) is null) return (null, "boundTo: each is jkt:THUMBPRINT, an agent's address, tap:KEY or wallet:0x….");
        order = order with { BoundTo = [.. (body.BoundTo ?? []).Select(s => SignerName.Read(s)!).Distinct()] };
        if (body.Valid is not null)
        {
            if (!Shapes.TryDuration(body.Valid, out var valid)) return (null, "valid: write 30s, 5m, 1h, 1d or 1mo.");
            order = order with { Valid = valid };
        }
        return body.Note?.Length > MostNote ? (null, $"note: at most {MostNote} characters.") : (order, "");
    }

    /// <summary>Why it is no name of an owner; null: it is, or nobody.</summary>
    public static string? WrongOwner(string? owner) => owner is null || owner.Length is > 0 and <= MostOwner && owner.All(c => c is > ' ' and <= '~') ? null : $"owner: at most {MostOwner} characters of printable ASCII, without spaces.";

    /// <summary>The same key gives the same token. Null: the key was used for another order.</summary>
    public async ValueTask<Token?> IssueAsync(TokenOrder order, string? key, CancellationToken ct)
    {
        if (key is null) return await desk.IssueAsync(order, "external:owner", ct: ct);
        // The id is made from the key, so that a repeat after a crash finds the row and funds it, whoever repeats it.
        var id = Convert.ToHexStringLower(HMACSHA256.HashData(await keys.KeyAsync("token-orders", ct), Encoding.UTF8.GetBytes(key)))[..26];
        await one.WaitAsync(ct); // two orders under one key at once: the second must see the first
        try
        {
            if (await desk.FindAsync(id, ct) is { } known && !IsOf(known, order)) return null;
            await desk.IssueAsync(order, "external:owner", id, ct);
            return await desk.FindAsync(id, ct);
        }
        finally
        {
            one.Release();
        }
    }

    public void Dispose() => one.Dispose();

    private static bool IsOf(Token token, TokenOrder order) =>
        token.Budget == order.Budget && token.Calls == order.Calls && token.PerCall == order.PerCall && token.Note == order.Note
        && token.Operations.SequenceEqual(order.Operations) && token.BoundTo.SequenceEqual(order.BoundTo) && token.Caps.SequenceEqual(order.Caps) && token.Series == order.Series && token.Owner == order.Owner && token.Rate?.Amount == order.Rate?.Amount && token.Rate?.Per == order.Rate?.Per
        && Seconds(token.Expires - token.Created) == Seconds(order.Valid);

    private static long? Seconds(TimeSpan? span) => span is { } s ? (s + TimeSpan.FromSeconds(1) / 2).Ticks / TimeSpan.TicksPerSecond : null;
}
