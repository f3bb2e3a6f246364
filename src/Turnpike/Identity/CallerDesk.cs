using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Storage;

namespace Turnpike.Identity;

/// <summary>Callers and their keys, wherever they come from: what the Admin API and the command line change, and what a call looks up.</summary>
internal sealed class CallerDesk(CallerStore store, InstallationStore installation, IAuditTrail audit, TimeProvider time)
{
    private const int MostKept = 100_000, MostKeys = 1_000_000;
    private readonly Recent<KeyHash, (ApiKey Key, Principal Principal)> keys = new(MostKeys);
    private readonly Recent<KeyHash, ApiKey?> strangers = new(MostKept); // of keys that prove nobody: guesses must not push out who is known
    private readonly Recent<string, Caller?> callers = new(MostKept), signers = new(MostKept);
    private byte[]? secret;

    /// <summary>Something was changed, here or on another node: nothing that was looked up before counts any more.</summary>
    public void Forget()
    {
        keys.Clear();
        ForgetStrangers();
    }

    /// <summary>Somebody has come, here or on another node: whoever was known before still is.</summary>
    public void ForgetStrangers()
    {
        strangers.Clear();
        callers.Clear();
        signers.Clear();
    }

    /// <summary>The caller of this name: the file's, or one of our own.</summary>
    public async ValueTask<Caller?> FindAsync(ServiceCatalog catalog, string name, CancellationToken ct) =>
        catalog.Settings.Get<CallerSettings>()?.Find(name) ?? await store.FindAsync(name, ct);

    /// <summary>The same for a call: what was looked up lately is not looked up again.</summary>
    public ValueTask<Caller?> KnownAsync(ServiceCatalog catalog, string name, CancellationToken ct)
    {
        if (catalog.Settings.Get<CallerSettings>()?.Find(name) is { } named) return new(named);
        return callers.TryGet(name, out var known) ? new(known) : ReadAsync(name, ct);
    }

    /// <summary>Who signs by this name: the file's word first, and what it says of the caller.</summary>
    public async ValueTask<Caller?> SignerAsync(ServiceCatalog catalog, string signer, CancellationToken ct)
    {
        var file = catalog.Settings.Get<CallerSettings>();
        if (file?.FindSigner(signer) is { } named) return named;
        if (!signers.TryGet(signer, out var known))
        {
            var stamp = signers.Stamp;
            known = await store.FindSignerAsync(signer, ct);
            signers.Keep(signer, known, stamp);
        }
        return known is null ? null : file?.Find(known.Name) ?? known;
    }

    public ValueTask<IReadOnlyList<Caller>> ListAsync(string? after, int most, CancellationToken ct) => store.ListAsync(after, most, ct);

    public ValueTask<IReadOnlyList<Caller>> MembersAsync(string organisation, string? after, int most, CancellationToken ct) => store.MembersAsync(organisation, after, most, ct);

    public ValueTask<IReadOnlyList<ApiKey>> KeysAsync(string caller, CancellationToken ct) => store.KeysAsync(caller, ct);

    public ValueTask<ApiKey?> FindKeyAsync(string id, CancellationToken ct) => store.FindKeyAsync(id, ct);

    /// <summary>The key of this hash with whom it proves. What is not known is remembered as well: asking again costs no look-up.</summary>
    public ValueTask<(ApiKey Key, Principal? Principal)?> FindAsync(KeyHash presented, CancellationToken ct)
    {
        if (secret is null) return FirstAsync(presented, ct);
        var kept = presented.Under(secret);
        if (keys.TryGet(kept, out var known)) return new(known);
        return strangers.TryGet(kept, out var key) ? new(Strange(key)) : ReadAsync(kept, ct);
    }

    /// <summary>Creates or replaces; in force for the next call.</summary>
    public async ValueTask<CallerPut> PutAsync(Caller caller, CancellationToken ct)
    {
        var put = await store.PutAsync(caller, time.GetUtcNow(), ct);
        if (put.Taken is not null) return put;
        if (put.Created) ForgetStrangers();
        else Forget();
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.CallerChanged, Correlation = Ids.New("c"), Caller = caller.Name, Reason = put.Created ? "created" : caller.Status.ToString().ToLowerInvariant(), Detail = Told(caller) }, ct);
        return put;
    }

    /// <summary>Whom it stands for from now on, so that the trail explains its calls.</summary>
    private static string? Told(Caller caller)
    {
        var limits = caller.Settings.Get<RateRules>()?.All.Select(l => l.Name);
        var parts = new[] { ("plan", caller.Plan), ("of", caller.Organisation), ("for", caller.OnBehalfOf), ("signs as", Listed(caller.SignsAs)), ("limits", Listed(limits)) }.Where(p => p.Item2 is not null).Select(p => $"{p.Item1} {p.Item2}").ToList();
        return parts.Count == 0 ? null : string.Join("; ", parts);
    }

    private static string? Listed(IEnumerable<string>? words) => words is not null && string.Join(", ", words) is { Length: > 0 } all ? all : null;

    /// <summary>A new key of ours; its text is in the answer and nowhere else.</summary>
    public async ValueTask<(ApiKey Key, string Text)> IssueAsync(string caller, CredentialRules rules, DateTimeOffset? expires, CancellationToken ct, string prefix = KeyText.Prefix, KeyVault? vault = null)
    {
        var text = KeyText.New(prefix);
        return ((await AddAsync(caller, KeyHash.Of(text), KeyText.Hint(text), rules, expires, ct, id => vault?.Seal(id, text)))!, text);
    }

    /// <summary>The text of a key that was made to be shown again, and is good; null: it was told once, or its secret is gone.</summary>
    public async ValueTask<string?> ShowAsync(ApiKey key, KeyVault vault, CancellationToken ct)
    {
        if (key is not { Sealed: { } envelope, Revoked: null } || key.Expires <= time.GetUtcNow() || vault.Open(key.Id, envelope) is not { } text) return null;
        // First in the trail, then told: whoever saw it stands there.
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.KeyShown, Correlation = Ids.New("c"), Caller = key.Caller, Reference = key.Id }, ct);
        await audit.FlushAsync(ct);
        return text;
    }

    /// <summary>A key made elsewhere, by its SHA-256. Null: it is somebody's already.</summary>
    public ValueTask<ApiKey?> ImportAsync(string caller, KeyHash hash, CredentialRules rules, DateTimeOffset? expires, CancellationToken ct) => AddAsync(caller, hash, "imported", rules, expires, ct);

    /// <summary>Refused from the next call on, for good. False when there is no such key.</summary>
    public async ValueTask<bool> RevokeAsync(string id, string reason, CancellationToken ct)
    {
        if (await store.FindKeyAsync(id, ct) is not { } key) return false;
        if (!await store.RevokeAsync(id, time.GetUtcNow(), ct)) return true;
        Forget(key.Hash);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.KeyRevoked, Correlation = Ids.New("c"), Caller = key.Caller, Reference = id, Detail = reason }, ct);
        return true;
    }

    /// <summary>From the next call on it says who asks and may spend nothing.</summary>
    public async ValueTask CapAsync(ApiKey key, string reason, CancellationToken ct)
    {
        await store.SetRulesAsync(key.Id, key.Rules with { SpendsNothing = true }, ct);
        Forget(key.Hash);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.KeyRevoked, Correlation = Ids.New("c"), Caller = key.Caller, Reference = key.Id, Reason = "capped", Detail = reason }, ct);
    }

    /// <summary>A key of the file, kept by its hash here as well: what is then said of it holds beside the file.</summary>
    public async ValueTask<ApiKey> NoteAsync(string caller, KeyHash hash, CredentialRules rules, CancellationToken ct) =>
        await AddAsync(caller, hash, "of the file", rules, null, ct) ?? (await FindAsync(hash, ct))!.Value.Key;

    /// <summary>A new key, while those before it go on for a while: nobody is locked out on the day keys are changed.</summary>
    public async ValueTask<(ApiKey Key, string Text)> RollAsync(string caller, TimeSpan overlap, CredentialRules rules, DateTimeOffset? expires, CancellationToken ct, string prefix = KeyText.Prefix, KeyVault? vault = null)
    {
        var until = time.GetUtcNow() + overlap;
        var ended = await store.ExpireAsync(caller, until, ct);
        Forget();
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.KeyRevoked, Correlation = Ids.New("c"), Caller = caller, Reason = "rolled", Detail = $"{ended} keys end at {until:u}" }, ct);
        return await IssueAsync(caller, rules, expires, ct, prefix, vault);
    }

    private async ValueTask<ApiKey?> AddAsync(string caller, KeyHash hash, string hint, CredentialRules rules, DateTimeOffset? expires, CancellationToken ct, Func<string, byte[]?>? seal = null)
    {
        var kept = hash.Under(await SecretAsync(ct));
        var id = Ids.New("k");
        var key = new ApiKey(id, caller, kept) { Hint = hint, Rules = rules, Expires = expires, Created = time.GetUtcNow(), Sealed = seal?.Invoke(id) };
        if (!await store.AddAsync(key, ct)) return null;
        Forget(kept);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.KeyIssued, Correlation = Ids.New("c"), Caller = caller, Reference = key.Id, Detail = hint }, ct);
        return key;
    }

    private async ValueTask<(ApiKey Key, Principal? Principal)?> FirstAsync(KeyHash presented, CancellationToken ct)
    {
        await SecretAsync(ct);
        return await FindAsync(presented, ct);
    }

    private async ValueTask<(ApiKey Key, Principal? Principal)?> ReadAsync(KeyHash kept, CancellationToken ct)
    {
        var (stamp, strange) = (keys.Stamp, strangers.Stamp);
        var found = await store.FindAsync(kept, ct);
        if (found is { Key: var key, Caller: { } caller })
        {
            var known = (Key: key, Principal: Of(caller, key));
            keys.Keep(kept, known, stamp);
            return known;
        }
        strangers.Keep(kept, found?.Key, strange);
        return Strange(found?.Key);
    }

    private static (ApiKey Key, Principal? Principal)? Strange(ApiKey? key) => key is null ? null : (key, null);

    private void Forget(KeyHash kept)
    {
        keys.Forget(kept);
        strangers.Forget(kept);
    }

    private async ValueTask<Caller?> ReadAsync(string name, CancellationToken ct)
    {
        var stamp = callers.Stamp;
        var found = await store.FindAsync(name, ct);
        callers.Keep(name, found, stamp);
        return found;
    }

    /// <summary>Whom a key proves.</summary>
    public static Principal Of(Caller caller, ApiKey key) => new(caller)
    {
        Credential = "key:" + key.Id,
        Scopes = Scopes.Within(caller.Scopes, key.Rules.Scopes),
        Rules = key.Rules,
        BoundTo = key.Rules.BoundTo,
        Expires = key.Expires,
    };

    private async ValueTask<byte[]> SecretAsync(CancellationToken ct) => secret ??= await installation.KeyAsync("caller-keys", ct);
}
