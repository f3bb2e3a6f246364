using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Identity.Reputations;
using Turnpike.Storage;

namespace Turnpike.Admin.Callers;

/// <summary><c>/admin/v1/callers</c>: who may ask, and their keys.</summary>
internal static class CallersApi
{
    public static void MapCallers(this IEndpointRouteBuilder api)
    {
        var callers = api.MapGroup("/callers").WithTags("callers");
        callers.MapGet("", async (string? after, int? limit, CallerRegister register, CatalogSource catalog, CancellationToken ct) =>
            TypedResults.Ok(await register.ListAsync(catalog.Current, after, Math.Clamp(limit ?? 50, 1, 500), ct))).WithName("listCallers").WithSummary("List callers by name, those of the file among them");
        callers.MapGet("/{name}", async Task<Results<Ok<CallerView>, ProblemHttpResult>> (string name, CallerRegister register, CatalogSource catalog, ReputationBook reputations, IAuditTrail audit, CancellationToken ct) =>
        {
            if (await register.FindAsync(catalog.Current, name, ct) is not { } view) return AdminProblem.NotFound("caller");
            await audit.FlushAsync(ct);
            await reputations.CountAsync(ct);
            return TypedResults.Ok(view with { Reputation = CallerReputation.Of(await reputations.OfAsync(name, ct)) });
        }).Produces<CallerView>().ProducesProblem(404).WithName("getCaller").WithSummary("A caller and its keys, without their texts");
        callers.MapPut("/{name}", PutAsync).Produces<CallerView>().Produces<CallerView>(201).ProducesProblem(400).ProducesProblem(409).WithName("putCaller").WithSummary("Create or replace a caller")
            .WithDescription("What is left out is nothing. A caller that turnpike.yaml names is 409 managed-by-file.");
        callers.MapGet("/{name}/reputation", async Task<Ok<ReputationView>> (string name, int? days, Database database, IAuditTrail audit, TimeProvider time, CancellationToken ct) =>
        {
            var since = time.GetUtcNow() - TimeSpan.FromDays(Math.Clamp(days ?? 30, 1, 3650));
            await audit.FlushAsync(ct);
            return TypedResults.Ok(ReputationView.Of(name, since, await database.ScanAsync(sql => ReputationStore.Count(sql, name, since), ct)));
        }).WithName("getReputation").WithSummary("What a caller did here: paid, delivered, denied, by the audit trail");
        Status(callers, "suspend", CallerStatus.Suspended, "Serve a caller no more, until it is resumed");
        Status(callers, "resume", CallerStatus.Active, "Serve a suspended caller again");
        Status(callers, "close", CallerStatus.Closed, "Close a caller, for good");
        callers.MapGet("/{name}/keys", async Task<Results<Ok<KeyList>, ProblemHttpResult>> (string name, CallerRegister register, CatalogSource catalog, CancellationToken ct) =>
            await register.FindAsync(catalog.Current, name, ct) is { } view ? TypedResults.Ok(new KeyList(view.Keys)) : AdminProblem.NotFound("caller")).Produces<KeyList>().ProducesProblem(404).WithName("listKeys").WithSummary("A caller's keys, without their texts");
        callers.MapPost("/{name}/keys", async Task<Results<Created<KeyView>, ProblemHttpResult>> (string name, KeyBody? body, CallerRegister register, CatalogSource catalog, CancellationToken ct) =>
            Made(await register.AddKeyAsync(catalog.Current, name, body ?? new KeyBody(), ct))).Produces<KeyView>(201).ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithName("issueKey").WithSummary("Make a key, or import one by its hash")
            .WithDescription("The text of a key that is made is in this answer and nowhere else.");
        callers.MapPost("/{name}/keys/roll", async Task<Results<Created<KeyView>, ProblemHttpResult>> (string name, RollBody? body, CallerRegister register, CatalogSource catalog, CancellationToken ct) =>
            Made(await register.RollAsync(catalog.Current, name, body ?? new RollBody(), ct))).Produces<KeyView>(201).ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithName("rollKeys").WithSummary("Make a key, and end all others after an overlap");
        callers.MapPost("/{name}/keys/{id}/show", async Task<Results<Ok<KeyView>, ProblemHttpResult>> (string name, string id, CallerRegister register, CatalogSource catalog, CancellationToken ct) =>
            Done(await register.ShowAsync(catalog.Current, id, ct))).Produces<KeyView>().ProducesProblem(404).ProducesProblem(409).WithName("showKey").WithSummary("The text of a key that was made to be shown again").WithDescription("It is in the trail as key.shown.");
        callers.MapPost("/{name}/keys/{id}/revoke", async Task<Results<Ok<KeyView>, ProblemHttpResult>> (string name, string id, ReasonBody? body, CallerRegister register, CancellationToken ct) =>
            Done(await register.RevokeAsync(id, body?.Reason ?? "by an operator", ct))).Produces<KeyView>().ProducesProblem(404).WithName("revokeKey").WithSummary("Revoke a key, for good, from the next call on");
    }

    private static async Task<Results<Ok<CallerView>, Created<CallerView>, ProblemHttpResult>> PutAsync(string name, CallerBody body, CallerRegister register, CatalogSource catalog, CancellationToken ct)
    {
        var (view, created, denied) = await register.PutAsync(catalog.Current, name, body, ct);
        return view is null ? Problem(denied!) : created ? TypedResults.Created($"/admin/v1/callers/{name}", view) : TypedResults.Ok(view);
    }

    private static void Status(RouteGroupBuilder callers, string verb, CallerStatus status, string summary) =>
        callers.MapPost($"/{{name}}/{verb}", async Task<Results<Ok<CallerView>, ProblemHttpResult>> (string name, CallerRegister register, CatalogSource catalog, CancellationToken ct) =>
            Done(await register.SetStatusAsync(catalog.Current, name, status, ct))).Produces<CallerView>().ProducesProblem(404).ProducesProblem(409).WithName(verb + "Caller").WithSummary(summary);

    private static Results<Ok<T>, ProblemHttpResult> Done<T>((T? View, Denial? Denied) outcome) where T : class => outcome.View is { } view ? TypedResults.Ok(view) : Problem(outcome.Denied!);

    private static Results<Created<KeyView>, ProblemHttpResult> Made((KeyView? View, Denial? Denied) outcome) =>
        outcome.View is { } view ? TypedResults.Created($"/admin/v1/callers/{view.Caller}", view) : Problem(outcome.Denied!);

    private static ProblemHttpResult Problem(Denial denied) => AdminProblem.Of(denied.Status, denied.Reason, denied.Title, denied.Detail);
}
