using System.Text.Json;
using System.Text.Json.Serialization;
using Turnpike.Catalog;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Identity.Organisations;

/// <summary>Organisations that came through the Admin API or the command line.</summary>
internal sealed class OrganisationStore(Database database, Revisions revisions)
{
    /// <summary>Moved with every change, so that other nodes forget what they remember.</summary>
    public const string Revision = "organisations";

    public ValueTask<Organisation?> FindAsync(string name, CancellationToken ct) => database.ReadAsync(sql => sql.First("select name, facts from organisations where name = $1", Read, name), ct);

    /// <summary>By name, beginning after <paramref name="after"/>.</summary>
    public async ValueTask<IReadOnlyList<Organisation>> ListAsync(string? after, int most, CancellationToken ct) => await database.ReadAsync(sql =>
        sql.Query("select name, facts from organisations where name > $1 order by name limit $2", Read, after ?? "", most), ct);

    /// <summary>Creates or replaces; true when it was not there.</summary>
    public ValueTask<bool> PutAsync(Organisation organisation, DateTimeOffset now, CancellationToken ct) => database.WriteAsync(sql =>
    {
        revisions.Bump(sql, Revision);
        var facts = JsonSerializer.Serialize(OrganisationFacts.Of(organisation), OrganisationJson.Default.OrganisationFacts);
        if (sql.Change("update organisations set facts = $2, changed = $3 where name = $1", organisation.Name, facts, now) == 1) return false;
        sql.Run("insert into organisations (name, facts, created, changed) values ($1, $2, $3, $3)", organisation.Name, facts, now);
        return true;
    }, ct);

    /// <summary>False when it was not there.</summary>
    public ValueTask<bool> DeleteAsync(string name, CancellationToken ct) => database.WriteAsync(sql =>
    {
        if (sql.Change("delete from organisations where name = $1", name) == 0) return false;
        revisions.Bump(sql, Revision);
        return true;
    }, ct);

    private static Organisation Read(SqlRow row) => JsonSerializer.Deserialize(row.Text(1), OrganisationJson.Default.OrganisationFacts)!.For(row.Text(0));
}

/// <summary>What is kept of an organisation beside its name.</summary>
/// <param name="Caps">Each as <c>5.00 USD per 1d each caller</c>.</param>
internal sealed record OrganisationFacts(IReadOnlyList<string> Caps, string? Note, bool Suspended = false)
{
    public static OrganisationFacts Of(Organisation organisation) => new([.. organisation.Caps.Select(c => c.ToString())], organisation.Note, organisation.Suspended);

    public Organisation For(string name) => new(name)
    {
        Caps = [.. Caps.Select(text => Cap.TryParse(text, CapScope.Organisation, out var cap) ? cap : throw new StorageException($"Organisation {name} has a cap '{text}' this version does not know."))],
        Note = Note,
        Suspended = Suspended,
    };
}

/// <summary>The JSON kept of organisations.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OrganisationFacts))]
internal sealed partial class OrganisationJson : JsonSerializerContext;
