using Turnpike.Admin.Callers;
using Turnpike.Admin.Guards;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Identity.Organisations;
using Turnpike.Ledger;
using Turnpike.Plans;
using Turnpike.Plans.Grants;

namespace Turnpike.Admin.Organisations;

/// <summary>What operators do with organisations, the same by the Admin API and by the command line. What is refused comes as a reason.</summary>
internal sealed class OrganisationRegister(OrganisationDesk desk, CallerDesk callers, GrantDesk grants, ILedger ledger, TimeProvider time)
{
    private const int MostGrants = 1000, MostNote = 500;

    public async ValueTask<OrganisationList> ListAsync(ServiceCatalog catalog, string? after, int most, CancellationToken ct)
    {
        var named = (catalog.Settings.Get<OrganisationSettings>()?.All.Values ?? []).Where(o => string.CompareOrdinal(o.Name, after ?? "") > 0);
        var page = named.Concat(await desk.ListAsync(after, most, ct)).DistinctBy(o => o.Name).OrderBy(o => o.Name, StringComparer.Ordinal).Take(most).ToList();
        return new OrganisationList([.. page.Select(OrganisationView.Of)], page.Count == most ? page[^1].Name : null);
    }

    public async ValueTask<OrganisationView?> FindAsync(ServiceCatalog catalog, string name, CancellationToken ct)
    {
        if (await KnownAsync(catalog, name, ct) is not { } organisation) return null;
        List<CapView> spent = [];
        foreach (var (account, cap, _, end) in Caps.Together(name, organisation.Caps, time.GetUtcNow()))
        {
            // A cap is raised or lowered by the next call: until then its account has what it had before.
            var state = await ledger.AccountAsync(account, cap.Amount.Currency, ct);
            var used = state is null ? Money.Zero(cap.Amount.Currency) : state.Raised - state.Available;
            spent.Add(new CapView($"organisation/{cap.Per?.Text ?? "total"}", MoneyView.Of(cap.Amount), MoneyView.Of(used), MoneyView.Of(used < cap.Amount ? cap.Amount - used : Money.Zero(used.Currency)), end));
        }
        return OrganisationView.Of(organisation) with { Spent = spent, Available = (await BalanceAsync(name, ct)).Available };
    }

    public async ValueTask<(OrganisationView? View, bool Created, Denial? Denied)> PutAsync(ServiceCatalog catalog, string name, OrganisationBody body, CancellationToken ct)
    {
        if (OrganisationSettings.Named(catalog, name) is not null) return (null, false, Denial.ManagedByFile(name));
        // A slash or a percent sign would be another name once it has stood in a path.
        if ((CapSection.CheckName(name) ?? (name.Trim() != name || name.AsSpan().ContainsAny('/', '%') ? "is no name; write it without '/', '%' and spaces around it" : null)) is { } wrong) return (null, false, Denial.Malformed($"The name {wrong}."));
        if (body.Note?.Length > MostNote) return (null, false, Denial.Malformed($"note: at most {MostNote} characters."));
        var (caps, wrongCap) = CallerOrders.ReadCaps(body.Caps, CapScope.Organisation);
        if (wrongCap is not null) return (null, false, Denial.Malformed(wrongCap));
        if (body.Status is not (null or "active" or "suspended")) return (null, false, Denial.Malformed("status: active or suspended."));
        var created = await desk.PutAsync(new Organisation(name) { Caps = caps, Note = body.Note, Suspended = body.Status == "suspended" }, ct);
        return (await FindAsync(catalog, name, ct), created, null);
    }

    /// <summary>Only the status changes.</summary>
    public async ValueTask<(OrganisationView? View, Denial? Denied)> SuspendAsync(ServiceCatalog catalog, string name, bool suspended, CancellationToken ct)
    {
        if (OrganisationSettings.Named(catalog, name) is not null) return (null, Denial.ManagedByFile(name));
        if (await desk.FindAsync(name, ct) is not { } organisation) return (null, Denial.NotFound("organisation"));
        if (organisation.Suspended != suspended) await desk.PutAsync(organisation with { Suspended = suspended }, ct);
        return (await FindAsync(catalog, name, ct), null);
    }

    /// <summary>
    /// Deletes what is said of it; the answer is what it was. Not with callers, who would spend without its caps, nor with money, which
    /// would be nobody's: the operator takes it back first.
    /// </summary>
    public async ValueTask<(OrganisationView? View, Denial? Denied)> DeleteAsync(ServiceCatalog catalog, string name, CancellationToken ct)
    {
        if (OrganisationSettings.Named(catalog, name) is not null) return (null, Denial.ManagedByFile(name));
        if (await FindAsync(catalog, name, ct) is not { } view) return (null, Denial.NotFound("organisation"));
        if ((await MembersAsync(catalog, name, null, 1, ct))!.Members is [var member, ..]) return (null, Refused("organisation-has-callers", $"'{member}' belongs to it, and would spend without its caps. Let its callers belong elsewhere first."));
        if (view.Available is [var money, ..]) return (null, Refused("organisation-has-money", $"Its balance has {money.Amount} {money.Currency}. Take its grants back first."));
        return await desk.DeleteAsync(name, ct) ? (view, null) : (null, Denial.NotFound("organisation"));
    }

    private static Denial Refused(string reason, string detail) => new(409, reason, "The organisation is not deleted", detail);

    public async ValueTask<MemberList?> MembersAsync(ServiceCatalog catalog, string name, string? after, int most, CancellationToken ct)
    {
        if (await KnownAsync(catalog, name, ct) is null) return null;
        var file = catalog.Settings.Get<CallerSettings>();
        var named = (file?.All ?? []).Select(c => c.Caller).Where(c => c.Organisation == name && string.CompareOrdinal(c.Name, after ?? "") > 0);
        // The file has taken over whom it names, whatever was said of it here.
        var ours = (await callers.MembersAsync(name, after, most, ct)).Where(c => file?.Find(c.Name) is null);
        var page = named.Concat(ours).Select(c => c.Name).Order(StringComparer.Ordinal).Take(most).ToList();
        return new MemberList(name, page, page.Count == most ? page[^1] : null);
    }

    /// <summary>A caller belongs to one organisation: whoever joins another leaves the one before.</summary>
    public async ValueTask<(CallerView? View, Denial? Denied)> JoinAsync(ServiceCatalog catalog, string name, string caller, bool joins, CancellationToken ct)
    {
        if (await KnownAsync(catalog, name, ct) is null) return (null, Denial.NotFound("organisation"));
        if (catalog.Settings.Get<CallerSettings>()?.Find(caller) is not null) return (null, Denial.ManagedByFile(caller));
        if (await callers.FindAsync(catalog, caller, ct) is not { } found || !joins && found.Organisation != name) return (null, Denial.NotFound(joins ? "caller" : "member"));
        var changed = found with { Organisation = joins ? name : null };
        if (changed.Organisation != found.Organisation) await callers.PutAsync(changed, ct);
        return (CallerView.Of(changed, []), null);
    }

    public async ValueTask<BalanceView> BalanceAsync(string name, CancellationToken ct) =>
        BalanceView.Of(Organisation.Holder(name), await grants.ListAsync(Organisation.Holder(name), MostGrants, ct), time.GetUtcNow());

    /// <summary>The file's, or one of ours.</summary>
    public async ValueTask<Organisation?> KnownAsync(ServiceCatalog catalog, string name, CancellationToken ct) => OrganisationSettings.Named(catalog, name) ?? await desk.FindAsync(name, ct);
}
