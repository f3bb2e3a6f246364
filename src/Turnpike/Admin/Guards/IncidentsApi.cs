using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Limits.Breakers;
using Turnpike.Limits.Incidents;
using Turnpike.Payments;
using Turnpike.Payments.Included;

namespace Turnpike.Admin.Guards;

/// <summary>What to switch, and why.</summary>
/// <param name="Mode"><c>normal</c>, <c>no-new-payments</c>, <c>paid-only</c>, <c>read-only</c>, <c>closed</c>.</param>
/// <param name="Reason">Callers are told it.</param>
internal sealed record IncidentBody(string Mode, string Reason);

/// <summary>What is switched off.</summary>
internal sealed record IncidentView(string Scope, string Mode, string Reason, DateTimeOffset Since);

/// <summary>Everything that is switched off.</summary>
internal sealed record IncidentList(IReadOnlyList<IncidentView> Incidents);

/// <summary><c>/admin/v1/incidents</c>: the switch for when something goes wrong.</summary>
internal static class IncidentsApi
{
    private const int MostReason = 500;
    private const string OfCaller = "caller:";

    public static void MapIncidents(this IEndpointRouteBuilder api)
    {
        var incidents = api.MapGroup("/incidents").WithTags("incidents");
        incidents.MapGet("", (IncidentBoard board) => TypedResults.Ok(new IncidentList([.. board.All.Select(View)]))).WithName("listIncidents").WithSummary("What is switched off");
        incidents.MapPut("/{scope}", SetAsync).Produces<IncidentView>().ProducesProblem(400).ProducesProblem(404).WithName("setIncident").WithSummary("Switch something off, or back to normal")
            .WithDescription("The scope is installation, the name of a service or an operation, or service:NAME, operation:NAME, caller:NAME, rail:NAME. In force for the next call, open streams included, and kept over restarts.");
    }

    private static async Task<Results<Ok<IncidentView>, ProblemHttpResult>> SetAsync(string scope, IncidentBody body, IncidentBoard board, BreakerBoard breakers, CatalogSource catalog, CancellationToken ct)
    {
        if (Incident.ReadMode(body.Mode) is not { } mode) return AdminProblem.Malformed("mode: normal, no-new-payments, paid-only, read-only or closed.");
        if (string.IsNullOrWhiteSpace(body.Reason) || body.Reason.Length > MostReason) return AdminProblem.Malformed($"reason: 1 to {MostReason} characters; callers are told it.");
        if (Resolve(scope, catalog.Current) is not { } resolved) return AdminProblem.NotFound("scope");
        // In a fire nobody should believe to have closed what goes on under its right name.
        if (mode != IncidentMode.Normal && resolved.StartsWith("rail:", StringComparison.Ordinal) && !IsRail(resolved["rail:".Length..])) return AdminProblem.Malformed($"scope: no rail is called that; there are {string.Join(", ", Payable.Names)}.");
        var set = await board.SetAsync(resolved, mode, body.Reason, ct);
        if (mode == IncidentMode.Normal && resolved.StartsWith(OfCaller, StringComparison.Ordinal)) await breakers.LetInAsync(catalog.Current, resolved[OfCaller.Length..], ct);
        return TypedResults.Ok(View(set));
    }

    private static bool IsRail(string name) => name == PostpaidMethod.MethodName || Payable.Names.Any(rail => rail == name);

    /// <summary>A name alone is a service's before an operation's. Callers need not be known here.</summary>
    private static string? Resolve(string scope, ServiceCatalog catalog)
    {
        if (scope == IncidentBoard.Installation || scope.Length is > 0 and <= 200 && scope.Split(':') is ["caller" or "rail", { Length: > 0 }, ..]) return scope;
        var (kind, name) = scope.Split(':') is ["service" or "operation", var n] ? (scope[..scope.IndexOf(':', StringComparison.Ordinal)], n) : (null, scope);
        if (kind != "operation" && catalog.Services.Any(s => s.Name == name)) return "service:" + name;
        return kind != "service" && catalog.Operations.ContainsKey(name) ? "operation:" + name : null;
    }

    private static IncidentView View(Incident incident) => new(incident.Scope, incident.ModeText, incident.Reason, incident.Since);
}
