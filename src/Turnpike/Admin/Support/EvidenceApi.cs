using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Audit;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;

namespace Turnpike.Admin.Support;

/// <summary><c>GET /admin/v1/payments/{id}/evidence</c>: the whole story of a payment, signed, for a dispute.</summary>
internal static class EvidenceApi
{
    public static void MapEvidence(this IEndpointRouteBuilder api) =>
        api.MapGet("/payments/{id}/evidence", ReadAsync).Produces<SignedEvidence>().ProducesProblem(404).WithTags("payments")
            .WithName("getEvidence").WithSummary("All that is known of a payment, as one signed document").WithDescription("Verifies offline with turnpike receipts verify and the keys of /.well-known/jwks.json.");

    private static async Task<Results<Ok<SignedEvidence>, ProblemHttpResult>> ReadAsync(string id, ILedger ledger, IAuditTrail audit, InstallationKeys keys, CatalogSource catalog, TimeProvider time, CancellationToken ct)
    {
        if (await PaymentsApi.ByIdAsync(ledger, id, ct) is not { } state) return AdminProblem.NotFound("payment");
        await audit.FlushAsync(ct);
        var story = (await PaymentStory.FindAsync(ledger, audit, state.Hold.Id, time.GetUtcNow(), ct))!;
        var evidence = Evidence.Of(story, state, catalog.Current.Gateway, time.GetUtcNow());
        return TypedResults.Ok(new SignedEvidence(evidence, keys.Sign(JsonSerializer.SerializeToUtf8Bytes(evidence, AdminJson.Default.Evidence), Evidence.Type)));
    }
}
