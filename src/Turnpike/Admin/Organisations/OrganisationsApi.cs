using Microsoft.AspNetCore.Http.HttpResults;
using Turnpike.Admin.Callers;
using Turnpike.Admin.Guards;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Plans.Grants;

namespace Turnpike.Admin.Organisations;

/// <summary><c>/admin/v1/organisations</c>: whom callers belong to, what they may spend together, and a balance all of them spend.</summary>
internal static class OrganisationsApi
{
    public static void MapOrganisations(this IEndpointRouteBuilder api)
    {
        var organisations = api.MapGroup("/organisations").WithTags("organisations");
        organisations.MapGet("", async (string? after, int? limit, OrganisationRegister register, CatalogSource catalog, CancellationToken ct) =>
            TypedResults.Ok(await register.ListAsync(catalog.Current, after, Math.Clamp(limit ?? 50, 1, 500), ct))).WithName("listOrganisations").WithSummary("List organisations by name, those of the file among them");
        organisations.MapGet("/{name}", async Task<Results<Ok<OrganisationView>, ProblemHttpResult>> (string name, OrganisationRegister register, CatalogSource catalog, CancellationToken ct) =>
            await register.FindAsync(catalog.Current, name, ct) is { } view ? TypedResults.Ok(view) : AdminProblem.NotFound("organisation"))
            .Produces<OrganisationView>().ProducesProblem(404).WithName("getOrganisation").WithSummary("An organisation: its caps, how far they are used, and its balance");
        organisations.MapPut("/{name}", PutAsync).Produces<OrganisationView>().Produces<OrganisationView>(201).ProducesProblem(400).ProducesProblem(409).WithName("putOrganisation").WithSummary("Create or replace an organisation")
            .WithDescription("What is left out is nothing. A cap that is changed holds for the next call. An organisation that turnpike.yaml names is 409 managed-by-file.");
        organisations.MapGet("/{name}/members", async Task<Results<Ok<MemberList>, ProblemHttpResult>> (string name, string? after, int? limit, OrganisationRegister register, CatalogSource catalog, CancellationToken ct) =>
            await register.MembersAsync(catalog.Current, name, after, Math.Clamp(limit ?? 50, 1, 500), ct) is { } list ? TypedResults.Ok(list) : AdminProblem.NotFound("organisation"))
            .Produces<MemberList>().ProducesProblem(404).WithName("listMembers").WithSummary("The callers of an organisation, by name");
        organisations.MapPut("/{name}/members/{caller}", (string name, string caller, OrganisationRegister register, CatalogSource catalog, CancellationToken ct) => JoinAsync(name, caller, true, register, catalog, ct))
            .Produces<CallerView>().ProducesProblem(404).ProducesProblem(409).WithName("putMember").WithSummary("Let a caller belong to an organisation, and to no other");
        organisations.MapDelete("/{name}/members/{caller}", (string name, string caller, OrganisationRegister register, CatalogSource catalog, CancellationToken ct) => JoinAsync(name, caller, false, register, catalog, ct))
            .Produces<CallerView>().ProducesProblem(404).ProducesProblem(409).WithName("deleteMember").WithSummary("Let a caller belong to nobody");
        Status(organisations, "suspend", true, "Serve none of an organisation's callers, until it is resumed");
        Status(organisations, "resume", false, "Serve the callers of a suspended organisation again");
        organisations.MapDelete("/{name}", async Task<Results<Ok<OrganisationView>, ProblemHttpResult>> (string name, OrganisationRegister register, CatalogSource catalog, CancellationToken ct) =>
            Done(await register.DeleteAsync(catalog.Current, name, ct)))
            .Produces<OrganisationView>().ProducesProblem(404).ProducesProblem(409).WithName("deleteOrganisation").WithSummary("Delete an organisation").WithDescription("Refused while callers belong to it, or money is on its balance.");
        MapGrants(organisations);
    }

    private static void Status(RouteGroupBuilder organisations, string verb, bool suspended, string summary) =>
        organisations.MapPost($"/{{name}}/{verb}", async Task<Results<Ok<OrganisationView>, ProblemHttpResult>> (string name, OrganisationRegister register, CatalogSource catalog, CancellationToken ct) =>
            Done(await register.SuspendAsync(catalog.Current, name, suspended, ct))).Produces<OrganisationView>().ProducesProblem(404).ProducesProblem(409).WithName(verb + "Organisation").WithSummary(summary);

    private static void MapGrants(RouteGroupBuilder organisations)
    {
        var grants = organisations.MapGroup("/{name}/grants");
        grants.MapPost("", GrantAsync).Produces<GrantView>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).WithName("grantOrganisation").WithSummary("Give an organisation money that its callers spend")
            .WithDescription("kind paid (unless said) or promotional. A caller spends its own grants first, then its organisation's, each by priority, then expiry, then order of granting. The same id is granted once: sending it again answers the same, with other content 409.");
        grants.MapGet("", async Task<Results<Ok<BalanceView>, ProblemHttpResult>> (string name, OrganisationRegister register, CatalogSource catalog, CancellationToken ct) =>
            await register.KnownAsync(catalog.Current, name, ct) is null ? AdminProblem.NotFound("organisation") : TypedResults.Ok(await register.BalanceAsync(name, ct)))
            .Produces<BalanceView>().ProducesProblem(404).WithName("listOrganisationGrants").WithSummary("An organisation's balance: every grant in the burn order, and what is left of it");
        grants.MapPost("/{grant}/take-back", async Task<Results<Ok<TakenBackView>, ProblemHttpResult>> (string name, string grant, ReasonBody? body, GrantDesk desk, CancellationToken ct) =>
            await desk.TakeBackAsync(Organisation.Holder(name), grant, body?.Reason ?? "by an operator", ct) is { } taken ? TypedResults.Ok(new TakenBackView(grant, Organisation.Holder(name), MoneyView.Of(taken.Taken))) : AdminProblem.NotFound("grant"))
            .Produces<TakenBackView>().ProducesProblem(404).WithName("takeBackOrganisationGrant").WithSummary("Take back what is unused of an organisation's grant");
    }

    private static async Task<Results<Ok<OrganisationView>, Created<OrganisationView>, ProblemHttpResult>> PutAsync(string name, OrganisationBody body, OrganisationRegister register, CatalogSource catalog, CancellationToken ct)
    {
        var (view, created, denied) = await register.PutAsync(catalog.Current, name, body, ct);
        return view is null ? Problem(denied!) : created ? TypedResults.Created($"/admin/v1/organisations/{Uri.EscapeDataString(name)}", view) : TypedResults.Ok(view);
    }

    private static Results<Ok<OrganisationView>, ProblemHttpResult> Done((OrganisationView? View, Denial? Denied) outcome) => outcome.View is { } view ? TypedResults.Ok(view) : Problem(outcome.Denied!);

    private static async Task<Results<Ok<CallerView>, ProblemHttpResult>> JoinAsync(string name, string caller, bool joins, OrganisationRegister register, CatalogSource catalog, CancellationToken ct)
    {
        var (view, denied) = await register.JoinAsync(catalog.Current, name, caller, joins, ct);
        return view is null ? Problem(denied!) : TypedResults.Ok(view);
    }

    private static async Task<Results<Ok<GrantView>, ProblemHttpResult>> GrantAsync(string name, GrantBody body, OrganisationRegister register, GrantDesk desk, ILedger ledger, CatalogSource catalog, TimeProvider time, CancellationToken ct)
    {
        if (await register.KnownAsync(catalog.Current, name, ct) is null) return AdminProblem.NotFound("organisation");
        var (order, error) = GrantOrder.Read(Organisation.Holder(name), body with { Kind = body.Kind ?? "paid" }, time.GetUtcNow());
        if (order is null) return AdminProblem.Malformed(error);
        if (order.Grant is not { } wanted) return AdminProblem.Malformed("kind: paid or promotional; plans are callers'.");
        if (catalog.Current.Settings.Get<PaymentSettings>() is not { Balance: true }) return GrantsApi.NoBalance();
        return await desk.GrantAsync(wanted, ct) is { } grant ? TypedResults.Ok(await GrantsApi.ViewAsync(grant, ledger, time, ct)) : GrantsApi.Exists();
    }

    private static ProblemHttpResult Problem(Denial denied) => AdminProblem.Of(denied.Status, denied.Reason, denied.Title, denied.Detail);
}
