using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Limits.Breakers;

namespace Turnpike.Admin.Guards;

/// <summary>A breaker that is open for one caller, or address, and why.</summary>
internal sealed record BreakerView(string Breaker, string Who, string Evidence, DateTimeOffset Since, DateTimeOffset Until);

/// <summary>The breakers that are open, newest first.</summary>
internal sealed record BreakerList(IReadOnlyList<BreakerView> Breakers);

/// <summary><c>/admin/v1/breakers</c>: who has run away, and letting them in again.</summary>
internal static class BreakersApi
{
    public static void MapBreakers(this IEndpointRouteBuilder api)
    {
        var breakers = api.MapGroup("/breakers").WithTags("breakers");
        breakers.MapGet("", (BreakerBoard board) => TypedResults.Ok(new BreakerList([.. board.Open.Select(t => new BreakerView(t.Breaker, t.Who, t.Evidence, t.Since, t.Until))])))
            .WithName("listBreakers").WithSummary("The breakers that are open, and why");
        breakers.MapDelete("/{breaker}/{who}", async Task<Results<NoContent, ProblemHttpResult>> (string breaker, string who, BreakerBoard board, CancellationToken ct) =>
            await board.ResetAsync(breaker, who, ct) ? TypedResults.NoContent() : AdminProblem.NotFound("open breaker")).Produces(204).ProducesProblem(404).WithName("resetBreaker").WithSummary("Close a breaker for this caller or address");
    }
}
