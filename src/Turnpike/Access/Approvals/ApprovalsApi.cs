using System.Text.Json.Serialization;

namespace Turnpike.Access.Approvals;

/// <summary><c>GET /approvals/{id}</c>: where a question stands. Whoever has its id was given it.</summary>
internal static class ApprovalsApi
{
    public static void MapApprovals(this IEndpointRouteBuilder app) => app.MapGet("/approvals/{id}", async (string id, HttpContext http, ApprovalStore store, CancellationToken ct) =>
    {
        http.Response.Headers.CacheControl = "private, no-store";
        if (id.Length > 64 || await store.FindAsync(id, ct) is not { } approval) return Results.Problem("No approval has this id.", statusCode: 404, title: "Nothing is here", type: "urn:turnpike:problem:not-found", extensions: new Dictionary<string, object?> { ["reason"] = "not-found" });
        if (approval.Status == ApprovalStatus.Pending) http.Response.Headers.RetryAfter = "30";
        return Results.Json(new ApprovalState(approval.Id, ApprovalStore.Text(approval.Status), approval.Operation, approval.Amount.ToDecimal(), approval.Amount.Currency, approval.Until), ApprovalJson.Default.ApprovalState);
    });
}

/// <summary>What a caller is told of its question.</summary>
internal sealed record ApprovalState(string Id, string Status, string Operation, string Amount, string Currency, DateTimeOffset? Until);

/// <summary>Its JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ApprovalState))]
internal sealed partial class ApprovalJson : JsonSerializerContext;
