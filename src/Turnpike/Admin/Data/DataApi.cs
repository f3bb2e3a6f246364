using Microsoft.AspNetCore.Http.HttpResults;

namespace Turnpike.Admin.Data;

/// <summary><c>/admin/v1/data/{subject}</c>: what is stored about a caller, a payer, a wallet, a token or an address.</summary>
internal static class DataApi
{
    public static void MapData(this IEndpointRouteBuilder api)
    {
        var data = api.MapGroup("/data").WithTags("data");
        data.MapGet("/{**subject}", ReadAsync).Produces(200, contentType: "application/json").ProducesProblem(400).WithName("exportData").WithSummary("Everything stored about somebody, by table")
            .WithDescription("subject is a caller's name, a payer as receipts name it, a wallet 0x…, token:…, or an IP address.");
        data.MapDelete("/{**subject}", EraseAsync).Produces<ErasedView>().ProducesProblem(400).ProducesProblem(409).WithName("eraseData").WithSummary("Erase it; the books stay, under a pseudonym")
            .WithDescription("409 payments-open while a payment is on its way; 409 balance-left while money is left, unless forfeit=true.");
    }

    private static async Task<Results<FileContentHttpResult, ProblemHttpResult>> ReadAsync(string subject, DataDesk desk, CancellationToken ct) =>
        Subject.Of(subject) is { } named ? TypedResults.Bytes(await desk.ExportAsync(named, subject, ct), "application/json") : Malformed();

    private static async Task<Results<Ok<ErasedView>, ProblemHttpResult>> EraseAsync(string subject, bool? forfeit, DataDesk desk, CancellationToken ct)
    {
        if (Subject.Of(subject) is not { } named) return Malformed();
        var (erased, denied) = await desk.EraseAsync(named, forfeit == true, ct);
        return erased is not null ? TypedResults.Ok(erased) : AdminProblem.Of(denied!.Status, denied.Reason, denied.Title, denied.Detail);
    }

    private static ProblemHttpResult Malformed() => AdminProblem.Malformed("The subject is a name of printable characters without spaces.");
}
