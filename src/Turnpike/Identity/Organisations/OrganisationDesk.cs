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

    /// <summary>The same for a call: what was looked up lately is not looked up again, whether it was there or not.</summary>
    public ValueTask<Organisation?> KnownAsync(string name, CancellationToken ct) => known.TryGet(name, out var found) ? new(found) : ReadAsync(name, ct);

    /// <summary>Creates or replaces; in force for the next call. True when it is new.</summary>
    public async ValueTask<bool> PutAsync(Organisation organisation, CancellationToken ct)
    {
        var created = await store.PutAsync(organisation, time.GetUtcNow(), ct);
        known.Forget(organisation.Name);
        var caps = organisation.Caps.Count == 0 ? "no caps" : string.Join("; ", organisation.Caps);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.OrganisationChanged, Correlation = Ids.New("c"), Reference = organisation.Name, Reason = created ? "created" : "changed", Detail = caps }, ct);
        return created;
    }

    private async ValueTask<Organisation?> ReadAsync(string name, CancellationToken ct)
    {
        var stamp = known.Stamp;
        var found = await store.FindAsync(name, ct);
        known.Keep(name, found, stamp);
        return found;
    }
}
