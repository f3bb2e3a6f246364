using Turnpike.Ledger;

namespace Turnpike.Admin;

/// <summary><c>/admin/v1/ledger</c>: what the books add up to, recounted from their entries.</summary>
internal static class LedgerApi
{
    public static void MapLedger(this IEndpointRouteBuilder api)
    {
        var ledger = api.MapGroup("/ledger").WithTags("ledger");
        ledger.MapGet("", VerifyAsync).Produces<BooksView>().WithName("getLedger").WithSummary("Totals by role and currency");
        ledger.MapGet("/verify", VerifyAsync).Produces<BooksView>().WithName("verifyLedger").WithSummary("Recount the books from every entry").WithDescription("Each currency sums to zero, balances equal their entries, nothing is overdrawn, nothing captured above its ceiling. Every finding is a sentence.");
        ledger.MapPost("/verify", VerifyAsync).ExcludeFromDescription();
    }

    private static async Task<BooksView> VerifyAsync(ILedger books, CancellationToken ct) => BooksView.Of(await books.VerifyAsync(ct));
}

/// <summary>The sum of all accounts of one role in one currency.</summary>
internal sealed record TotalView(string Role, string Amount, string Currency);

/// <summary>What the books add up to, and every finding as a sentence.</summary>
internal sealed record BooksView(bool Balanced, IReadOnlyList<TotalView> Totals, long Holds, long OpenHolds, long Entries, IReadOnlyList<string> Findings)
{
    public static BooksView Of(BooksReport report) => new(report.Balanced, [.. report.Totals.Select(t => new TotalView(t.Role, t.Sum.ToDecimal(), t.Sum.Currency))], report.Holds, report.OpenHolds, report.Entries, report.Findings);
}
