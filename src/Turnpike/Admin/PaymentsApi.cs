using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Admin.Support;
using Turnpike.Audit;
using Turnpike.Catalog.Loading;
using Turnpike.Gateway;
using Turnpike.Ledger;

namespace Turnpike.Admin;

/// <summary><c>/admin/v1/payments</c> and <c>/receipts</c>: what was paid, and the whole story of one payment on one page.</summary>
internal static class PaymentsApi
{
    private static readonly string[] Statuses = [.. Enum.GetValues<HoldStatus>().Select(HoldRow.Text)];

    public static void MapPayments(this IEndpointRouteBuilder api)
    {
        var payments = api.MapGroup("/payments").WithTags("payments");
        payments.MapGet("", ListAsync).Produces<PaymentList>().ProducesProblem(400).WithName("listPayments").WithSummary("List payments, newest first")
            .WithDescription("Filters: status, payer (a wallet's bare address will do), operation, correlation. A page ends with next, which is given back as before.");
        api.MapGet("/purchases", PurchasesAsync).Produces<PaymentList>().ProducesProblem(400).WithTags("payments").WithName("listPurchases").WithSummary("List what was paid to upstreams, newest first")
            .WithDescription("Filters: status, operation, correlation, payer (wallet:NAME). paidFor is the receipt of the call each was for; outcome credited: paid for nothing, the owner's loss. A page ends with next, which is given back as before.");
        payments.MapGet("/{**id}", FindAsync).Produces<PaymentStory>().ProducesProblem(404).WithName("getPayment").WithSummary("A payment and every decision about it, by hold, receipt, correlation or the rail's reference");
        api.MapGet("/receipts/{id}", ReceiptAsync).Produces<ReceiptView>().ProducesProblem(404).WithTags("receipts").WithName("getReceipt").WithSummary("A receipt, as its holder sees it");
    }

    private static Task<Results<Ok<PaymentList>, ProblemHttpResult>> ListAsync(string? status, string? payer, string? operation, string? correlation, long? before, int? limit, ILedger ledger, CatalogSource catalog, TimeProvider time, CancellationToken ct) =>
        PageAsync(new HoldFilter(status, payer, operation, correlation), before, limit, ledger, catalog, time, ct);

    private static Task<Results<Ok<PaymentList>, ProblemHttpResult>> PurchasesAsync(string? status, string? payer, string? operation, string? correlation, long? before, int? limit, ILedger ledger, CatalogSource catalog, TimeProvider time, CancellationToken ct) =>
        PageAsync(new HoldFilter(status, payer, operation, correlation, Purchases: true), before, limit, ledger, catalog, time, ct);

    private static async Task<Results<Ok<PaymentList>, ProblemHttpResult>> PageAsync(HoldFilter filter, long? before, int? limit, ILedger ledger, CatalogSource catalog, TimeProvider time, CancellationToken ct)
    {
        if (filter.Status is { } status && !Statuses.Contains(status)) return AdminProblem.Malformed($"status is one of {string.Join(", ", Statuses)}.");
        var most = Math.Clamp(limit ?? 50, 1, 500);
        var found = await PaymentSearch.ListAsync(ledger, catalog.Current, filter with { Before = before?.ToString(System.Globalization.CultureInfo.InvariantCulture), Most = most }, ct);
        var next = found.Count == most ? found[^1].Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture) : null;
        return TypedResults.Ok(new PaymentList([.. found.Select(state => PaymentView.Of(state, time.GetUtcNow()))], next));
    }

    private static async Task<Results<Ok<PaymentStory>, ProblemHttpResult>> FindAsync(string id, ILedger ledger, IAuditTrail audit, TimeProvider time, CancellationToken ct)
    {
        await audit.FlushAsync(ct);
        return await PaymentStory.FindAsync(ledger, audit, Plain(id), time.GetUtcNow(), ct) is { } story ? TypedResults.Ok(story) : AdminProblem.NotFound("payment");
    }

    /// <summary>The payment of this hold or receipt.</summary>
    public static async ValueTask<HoldState?> ByIdAsync(ILedger ledger, string id, CancellationToken ct) =>
        await ledger.FindAsync(Plain(id), ct) ?? await ledger.FindByReceiptAsync(id, ct);

    /// <summary>The server leaves %2F in a path as it is; a hold's id may have one, from its caller's own key.</summary>
    private static string Plain(string id) => id.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static async Task<Results<FileContentHttpResult, ProblemHttpResult>> ReceiptAsync(string id, ILedger ledger, Metering.UsageStore usage, InstallationKeys keys, CatalogSource catalog, CancellationToken ct) =>
        await ledger.FindByReceiptAsync(id, ct) is { } state
            ? TypedResults.Bytes(ReceiptsApi.Write(state, catalog.Current.Gateway.Sandbox, await SignedReceipt.OfAsync(state, await usage.FindByReceiptAsync(state.Hold.Receipt, ct), ledger, keys, catalog.Current.Gateway, ct)), "application/json")
            : AdminProblem.NotFound("receipt");
}
