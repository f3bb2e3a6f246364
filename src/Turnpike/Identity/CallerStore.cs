using System.Text.Json;
using System.Text.Json.Serialization;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Storage;
using Turnpike.Storage.Nodes;

namespace Turnpike.Identity;

/// <summary>Callers and keys that came through the Admin API or the command line.</summary>
internal sealed class CallerStore(Database database, Revisions revisions)
{
    /// <summary>Moved with every change of a caller or key, so that nodes forget what they remember of them; and where one only came to be, so that they forget whom they do not know.</summary>
    public const string Revision = "callers", Joined = "callers-joined";

    public ValueTask<Caller?> FindAsync(string name, CancellationToken ct) => database.ReadAsync(sql => Find(sql, name), ct);

    /// <summary>A key with its caller, by the key's kept hash; a caller that is not there was named by the file when the key was made.</summary>
    public ValueTask<(ApiKey Key, Caller? Caller)?> FindAsync(KeyHash kept, CancellationToken ct) => database.ReadAsync<(ApiKey, Caller?)?>(sql => sql.First<(ApiKey, Caller?)?>("""
        select k.id, k.caller, k.hash, k.hint, k.rules, k.expires, k.revoked, k.created, k.sealed, c.name, c.status, c.facts from caller_keys as k left join callers as c on c.name = k.caller where k.hash = $1
        """, row => (ReadKey(row), row.IsNull(9) ? null : ReadCaller(row, 9)), kept.ToBytes()), ct);

    public ValueTask<ApiKey?> FindKeyAsync(string id, CancellationToken ct) => database.ReadAsync(sql =>
        sql.First("select id, caller, hash, hint, rules, expires, revoked, created, sealed from caller_keys where id = $1", ReadKey, id), ct);

    public async ValueTask<IReadOnlyList<ApiKey>> KeysAsync(string caller, CancellationToken ct) => await database.ReadAsync(sql =>
        sql.Query("select id, caller, hash, hint, rules, expires, revoked, created, sealed from caller_keys where caller = $1 order by id", ReadKey, caller), ct);

    /// <summary>By name, beginning after <paramref name="after"/>.</summary>
    public async ValueTask<IReadOnlyList<Caller>> ListAsync(string? after, int most, CancellationToken ct) => await database.ReadAsync(sql =>
        sql.Query("select name, status, facts from callers where name > $1 order by name limit $2", ReadCaller, after ?? "", most), ct);

    /// <summary>The callers of an organisation by name, beginning after <paramref name="after"/>. Looks at every caller: for operators, not for calls.</summary>
    public async ValueTask<IReadOnlyList<Caller>> MembersAsync(string organisation, string? after, int most, CancellationToken ct)
    {
        // As the facts are written: the text narrows the search, what is read decides.
        var written = $"\"organisation\":{JsonSerializer.Serialize(organisation, IdentityJson.Default.String)}";
        var like = written.Replace("!", "!!", StringComparison.Ordinal).Replace("%", "!%", StringComparison.Ordinal).Replace("_", "!_", StringComparison.Ordinal);
        List<Caller> members = [];
        while (true)
        {
            var page = await database.ReadAsync(sql => sql.Query("select name, status, facts from callers where name > $1 and facts like $2 escape '!' order by name limit $3", ReadCaller, after ?? "", $"%{like}%", most), ct);
            members.AddRange(page.Where(c => c.Organisation == organisation));
            if (page.Count < most || members.Count >= most) return [.. members.Take(most)];
            after = page[^1].Name;
        }
    }

    /// <summary>Who signs by this name.</summary>
    public ValueTask<Caller?> FindSignerAsync(string signer, CancellationToken ct) => database.ReadAsync(sql =>
        sql.First("select c.name, c.status, c.facts from caller_signers as s join callers as c on c.name = s.caller where s.signer = $1", ReadCaller, signer), ct);

    /// <summary>Creates or replaces, unless somebody else signs by one of its names.</summary>
    public ValueTask<CallerPut> PutAsync(Caller caller, DateTimeOffset now, CancellationToken ct) => database.WriteAsync(sql =>
    {
        foreach (var signer in caller.SignsAs)
            if (sql.First("select caller from caller_signers where signer = $1 and caller <> $2", row => row.Text(0), signer, caller.Name) is { } other) return new CallerPut(false, signer, other);
        sql.Run("delete from caller_signers where caller = $1", caller.Name);
        foreach (var signer in caller.SignsAs) sql.Run("insert into caller_signers (signer, caller) values ($1, $2)", signer, caller.Name);
        var created = Put(sql, caller, now);
        revisions.Bump(sql, created ? Joined : Revision);
        return new CallerPut(created);
    }, ct);

    private static bool Put(Sql sql, Caller caller, DateTimeOffset now)
    {
        var (status, facts) = (Text(caller.Status), JsonSerializer.Serialize(CallerFacts.Of(caller), IdentityJson.Default.CallerFacts));
        if (sql.Change("update callers set status = $2, facts = $3, changed = $4 where name = $1", caller.Name, status, facts, now) == 1) return false;
        sql.Run("insert into callers (name, status, facts, created, changed) values ($1, $2, $3, $4, $4)", caller.Name, status, facts, now);
        return true;
    }

    /// <summary>False when a key of this hash is known already.</summary>
    public async ValueTask<bool> AddAsync(ApiKey key, CancellationToken ct) => await ChangeAsync(Joined, sql => sql.Change("""
        insert into caller_keys (id, caller, hash, hint, rules, expires, revoked, created, sealed) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (hash) do nothing
        """, key.Id, key.Caller, key.Hash.ToBytes(), key.Hint, JsonSerializer.Serialize(key.Rules, IdentityJson.Default.CredentialRules), key.Expires, key.Revoked, key.Created, key.Sealed), ct) == 1;

    public async ValueTask SetRulesAsync(string id, CredentialRules rules, CancellationToken ct) =>
        await ChangeAsync(Revision, sql => sql.Change("update caller_keys set rules = $2 where id = $1", id, JsonSerializer.Serialize(rules, IdentityJson.Default.CredentialRules)), ct);

    /// <summary>False when there is no such key, or it is revoked, which is final. Its text goes with it.</summary>
    public async ValueTask<bool> RevokeAsync(string id, DateTimeOffset now, CancellationToken ct) =>
        await ChangeAsync(Revision, sql => sql.Change("update caller_keys set revoked = $2, sealed = null where id = $1 and revoked is null", id, now), ct) == 1;

    /// <summary>Ends every key of a caller that would outlive this moment.</summary>
    public async ValueTask<int> ExpireAsync(string caller, DateTimeOffset at, CancellationToken ct) =>
        await ChangeAsync(Revision, sql => (int)sql.Change("update caller_keys set expires = $2 where caller = $1 and revoked is null and (expires is null or expires > $2)", caller, at), ct);

    private ValueTask<T> ChangeAsync<T>(string revision, Func<Sql, T> change, CancellationToken ct) => database.WriteAsync(sql =>
    {
        var changed = change(sql);
        revisions.Bump(sql, revision);
        return changed;
    }, ct);

    private static Caller? Find(Sql sql, string name) => sql.First("select name, status, facts from callers where name = $1", ReadCaller, name);

    private static Caller ReadCaller(SqlRow row) => ReadCaller(row, 0);

    private static Caller ReadCaller(SqlRow row, int from) => JsonSerializer.Deserialize(row.Text(from + 2), IdentityJson.Default.CallerFacts)!.For(row.Text(from)) with
    {
        Status = row.Text(from + 1) switch { "active" => CallerStatus.Active, "suspended" => CallerStatus.Suspended, _ => CallerStatus.Closed },
    };

    private static ApiKey ReadKey(SqlRow row) => new(row.Text(0), row.Text(1), KeyHash.Read(row.Span(2)))
    {
        Hint = row.Text(3),
        Rules = JsonSerializer.Deserialize(row.Text(4), IdentityJson.Default.CredentialRules)!,
        Expires = row.TimeOrNull(5),
        Revoked = row.TimeOrNull(6),
        Created = row.Time(7),
        Sealed = row.IsNull(8) ? null : row.Bytes(8),
    };

    private static string Text(CallerStatus status) => status.ToString().ToLowerInvariant();
}

/// <summary>What became of putting a caller.</summary>
/// <param name="Created">It was not there.</param>
/// <param name="Taken">The name that <paramref name="By"/> signs by already; then nothing was changed.</param>
internal sealed record CallerPut(bool Created, string? Taken = null, string? By = null);

/// <summary>What is kept of a caller beside name and status.</summary>
internal sealed record CallerFacts
{
    public string? Organisation { get; init; }

    public string? OnBehalfOf { get; init; }

    public string? Plan { get; init; }

    public PlanTerm? Term { get; init; }

    /// <summary>Each as <c>5.00 USD per 1d each key</c>; null: none.</summary>
    public IReadOnlyList<string>? Caps { get; init; }

    public IReadOnlyList<string> Groups { get; init; } = [];

    public IReadOnlyList<string> Roles { get; init; } = [];

    public IReadOnlyList<string> Scopes { get; init; } = [];

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<RateWords>? Limits { get; init; }

    public IReadOnlyList<string>? SignsAs { get; init; }

    public static CallerFacts Of(Caller caller) => new()
    {
        Organisation = caller.Organisation,
        OnBehalfOf = caller.OnBehalfOf,
        Plan = caller.Plan,
        Term = caller.Term,
        Caps = caller.Caps.Count == 0 ? null : [.. caller.Caps.Select(c => c.ToString())],
        Groups = caller.Groups,
        Roles = caller.Roles,
        Scopes = caller.Scopes,
        Metadata = caller.Metadata,
        Limits = caller.Settings.Get<RateRules>()?.Words,
        SignsAs = caller.SignsAs.Count == 0 ? null : caller.SignsAs,
    };

    public Caller For(string name) => new(name)
    {
        Organisation = Organisation,
        OnBehalfOf = OnBehalfOf,
        Plan = Plan,
        Term = Term,
        Caps = [.. (Caps ?? []).Select(text => Cap.TryParse(text, CapScope.Caller, out var cap) ? cap : throw new StorageException($"Caller {name} has a cap '{text}' this version does not know."))],
        Groups = Groups,
        Roles = Roles,
        Scopes = Scopes,
        Metadata = Metadata,
        SignsAs = SignsAs ?? [],
        Settings = LimitsOf(name) is { } limits ? new SettingsBag([limits]) : SettingsBag.Empty,
    };

    private RateRules? LimitsOf(string name) => RateWords.Read(name, Limits) is var (rules, error) && error is null ? rules : throw new StorageException($"Caller {name} has limits this version does not know: {error}");
}

/// <summary>The JSON kept in the tables of identity.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CallerFacts))]
[JsonSerializable(typeof(CredentialRules))]
[JsonSerializable(typeof(string))]
internal sealed partial class IdentityJson : JsonSerializerContext;
