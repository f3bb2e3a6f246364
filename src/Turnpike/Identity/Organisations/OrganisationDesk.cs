using Turnpike.Audit;
using Turnpike.Catalog;

namespace Turnpike.Identity.Organisations;

/// <summary>Organisations that turnpike.yaml does not name: what operators change, and what a call looks up.</summary>
internal sealed class OrganisationDesk(OrganisationStore store, IAuditTrail audit, TimeProvider time)
{
    private const int MostKept = 100_000;
    private readonly Recent<string, Organisation?> known = new(MostKept);

    /// <summary>Something was changed, here or on another node.</summary>
    public void Forget() => known.Clear();

    public ValueTask<Organisation?> FindAsync(string name, CancellationToken ct) => store.FindAsync(name, ct);

    public ValueTask<IReadOnlyList<Organisation>> ListAsync(string? after, int most, CancellationToken ct) => store.ListAsync(after, most, ct);

    /// <summary>For a call, the file's word before ours: what was looked up lately is not looked up again, whether it was there or not.</summary>
    public ValueTask<Organisation?> KnownAsync(ServiceCatalog catalog, string name, CancellationToken ct) =>
        OrganisationSettings.Named(catalog, name) is { } named ? new(named) : known.TryGet(name, out var found) ? new(found) : ReadAsync(name, ct);

    /// <summary>Creates or replaces; in force for the next call. True when it is new.</summary>
    public async ValueTask<bool> PutAsync(Organisation organisation, CancellationToken ct)
    {
        var created = await store.PutAsync(organisation, time.GetUtcNow(), ct);
        known.Forget(organisation.Name);
        await SayAsync(organisation.Name, created ? "created" : "changed", (organisation.Suspended ? "suspended; " : "") + (organisation.Caps.Count == 0 ? "no caps" : string.Join("; ", organisation.Caps)), ct);
        return created;
    }

    /// <summary>Nothing is said of it any more. False when nothing was.</summary>
    public async ValueTask<bool> DeleteAsync(string name, CancellationToken ct)
    {
        var deleted = await store.DeleteAsync(name, ct);
        known.Forget(name);
        if (deleted) await SayAsync(name, "deleted", null, ct);
        return deleted;
    }

    private ValueTask SayAsync(string name, string what, string? detail, CancellationToken ct) =>
        audit.RecordAsync(new AuditEvent { Kind = AuditKinds.OrganisationChanged, Correlation = Ids.New("c"), Reference = name, Reason = what, Detail = detail }, ct);

    private async ValueTask<Organisation?> ReadAsync(string name, CancellationToken ct)
    {
        var stamp = known.Stamp;
        var found = await store.FindAsync(name, ct);
        known.Keep(name, found, stamp);
        return found;
    }
}
