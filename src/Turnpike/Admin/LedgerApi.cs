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
