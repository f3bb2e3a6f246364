using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Identity;
using Turnpike.Limits;
using Turnpike.Plans;

namespace Turnpike.Admin.Callers;

/// <summary>What operators do with callers, the same by the Admin API and by the command line. What is refused comes as a reason.</summary>
internal sealed class CallerRegister(CallerDesk desk, TimeProvider time)
{
    public async ValueTask<CallerList> ListAsync(ServiceCatalog catalog, string? after, int most, CancellationToken ct)
    {
        var ours = await desk.ListAsync(after, most, ct);
        var named = (catalog.Settings.Get<CallerSettings>()?.All ?? []).Select(c => c.Caller).Where(c => string.CompareOrdinal(c.Name, after ?? "") > 0);
        var page = named.Concat(ours).DistinctBy(c => c.Name).OrderBy(c => c.Name, StringComparer.Ordinal).Take(most).ToList();
        return new CallerList([.. page.Select(c => CallerView.Of(c, []))], page.Count == most ? page[^1].Name : null);
    }

    public async ValueTask<CallerView?> FindAsync(ServiceCatalog catalog, string name, CancellationToken ct)
    {
        if (await desk.FindAsync(catalog, name, ct) is not { } caller) return null;
        var now = time.GetUtcNow();
        var named = (catalog.Settings.Get<CallerSettings>()?.KeysOf(name) ?? []).Select(k => KeyView.Of(caller, k, now));
        return CallerView.Of(caller, named.Concat((await desk.KeysAsync(name, ct)).Select(k => KeyView.Of(k, now))));
    }

    public async ValueTask<(CallerView? View, bool Created, Denial? Denied)> PutAsync(ServiceCatalog catalog, string name, CallerBody body, CancellationToken ct)
    {
        if (IsTheFiles(catalog, name)) return (null, false, Denial.ManagedByFile(name));
        var (caller, error) = CallerOrders.Read(name, body);
        if (caller is null) return (null, false, Denial.Malformed(error));
        if (NoPlan(catalog, caller.Plan, caller.Term?.Then) is { } missing) return (null, false, missing);
        if (await desk.FindAsync(catalog, name, ct) is { Status: CallerStatus.Closed } && caller.Status != CallerStatus.Closed) return (null, false, new Denial(409, "caller-closed", "The caller is closed", "Closing is final; choose another name."));
        if (LimitSection.Untold(catalog, caller.Settings.Get<RateRules>()) is { } unit) return (null, false, Denial.Malformed($"limits: nothing sold here tells '{unit}', so it would never be counted; 'usage' of an operation says where it comes from."));
        var file = catalog.Settings.Get<CallerSettings>();
        if (caller.SignsAs.FirstOrDefault(s => file?.FindSigner(s) is not null) is { } named) return (null, false, Denial.SignerTaken(named, file!.FindSigner(named)!.Name));
        var put = await desk.PutAsync(caller, ct);
        return put.Taken is { } taken ? (null, false, Denial.SignerTaken(taken, put.By!)) : (await FindAsync(catalog, name, ct), put.Created, null);
    }

    private static string PrefixOf(ServiceCatalog catalog) => catalog.Settings.Get<IdentitySettings>()?.KeyPrefix ?? KeyText.Prefix;

    private static KeyVault? VaultFor(ServiceCatalog catalog, bool? retrievable) => retrievable == true ? catalog.Settings.Get<IdentitySettings>()?.Vault : null;

    private static Denial? NoPlan(ServiceCatalog catalog, params ReadOnlySpan<string?> plans)
    {
        foreach (var plan in plans)
            if (plan is not null && PlanBook.Of(catalog, plan) is null) return Denial.Malformed($"turnpike.yaml has no plan '{plan}'.");
        return null;
    }

    /// <summary>Only the status changes.</summary>
    public async ValueTask<(CallerView? View, Denial? Denied)> SetStatusAsync(ServiceCatalog catalog, string name, CallerStatus status, CancellationToken ct)
    {
        if (IsTheFiles(catalog, name)) return (null, Denial.ManagedByFile(name));
        if (await desk.FindAsync(catalog, name, ct) is not { } caller) return (null, Denial.NotFound("caller"));
        if (caller.Status == CallerStatus.Closed && status != CallerStatus.Closed) return (null, new Denial(409, "caller-closed", "The caller is closed", "Closing is final; choose another name."));
        if (caller.Status != status) await desk.PutAsync(caller with { Status = status }, ct);
        return (await FindAsync(catalog, name, ct), null);
    }

    /// <summary>Only the plan changes. One that nobody sells would be no plan at all.</summary>
    public async ValueTask<(CallerView? View, Denial? Denied)> SetPlanAsync(ServiceCatalog catalog, string name, PlanBody body, CancellationToken ct)
    {
        if (IsTheFiles(catalog, name)) return (null, Denial.ManagedByFile(name));
        if (await desk.FindAsync(catalog, name, ct) is not { } caller) return (null, Denial.NotFound("caller"));
        if (NoPlan(catalog, body.Plan, body.Then) is { } missing) return (null, missing);
        var span = TimeSpan.Zero;
        if (body.For is not null && (body.Until is not null || !Shapes.TryDuration(body.For, out span))) return (null, Denial.Malformed("for: write 30s, 5m, 1h, 1d or 1mo, or give until instead."));
        var (term, error) = CallerOrders.Term(body.For is null ? body.Until : time.GetUtcNow() + span, body.Grace, body.Then);
        if (error is not null) return (null, Denial.Malformed(error));
        await desk.PutAsync(caller with { Plan = body.Plan, Term = term }, ct);
        return (await FindAsync(catalog, name, ct), null);
    }

    public async ValueTask<(KeyView? View, Denial? Denied)> AddKeyAsync(ServiceCatalog catalog, string name, KeyBody body, CancellationToken ct)
    {
        var (caller, rules, expires, denied) = await OpenAsync(catalog, name, body, ct);
        if (caller is null) return (null, denied);
        if (body.Hash is not { } hash)
        {
            var (key, text) = await desk.IssueAsync(name, rules!, expires, ct, PrefixOf(catalog), VaultFor(catalog, body.Retrievable));
            return (KeyView.Of(key, time.GetUtcNow(), text), null);
        }
        return await desk.ImportAsync(name, KeyHash.Parse(hash)!.Value, rules!, expires, ct) is { } imported
            ? (KeyView.Of(imported, time.GetUtcNow()), null)
            : (null, new Denial(409, "key-taken", "This key is known already", "A key says who asks, so it is one caller's."));
    }

    public async ValueTask<(KeyView? View, Denial? Denied)> RollAsync(ServiceCatalog catalog, string name, RollBody body, CancellationToken ct)
    {
        var (caller, rules, expires, denied) = await OpenAsync(catalog, name, body.Key, ct);
        if (caller is null) return (null, denied);
        var overlap = TimeSpan.Zero;
        if (body.Overlap is not null && !Shapes.TryDuration(body.Overlap, out overlap)) return (null, Denial.Malformed("overlap: write 30s, 5m, 1h, 1d or 1mo."));
        var (key, text) = await desk.RollAsync(name, overlap, rules!, expires, ct, PrefixOf(catalog), VaultFor(catalog, body.Retrievable));
        return (KeyView.Of(key, time.GetUtcNow(), text), null);
    }

    /// <summary>The text of a key that was made to be shown again; who asked is in the trail.</summary>
    public async ValueTask<(KeyView? View, Denial? Denied)> ShowAsync(ServiceCatalog catalog, string id, CancellationToken ct)
    {
        if (await desk.FindKeyAsync(id, ct) is not { } key) return (null, Denial.NotFound("key"));
        return catalog.Settings.Get<IdentitySettings>()?.Vault is { } vault && await desk.ShowAsync(key, vault, ct) is { } text
            ? (KeyView.Of(key, time.GetUtcNow(), text), null)
            : (null, new Denial(409, "key-not-retrievable", "The key's text cannot be shown", key.Sealed is null ? "It was told once, when it was made, or has been revoked. Make another." : "It has ended, or the secret it was sealed under is not configured any more. Make another."));
    }

    /// <summary>Also a key whose caller the file has taken over: it lives here, and here it ends.</summary>
    public async ValueTask<(KeyView? View, Denial? Denied)> RevokeAsync(string id, string reason, CancellationToken ct) =>
        await desk.RevokeAsync(id, reason, ct) ? (KeyView.Of((await desk.FindKeyAsync(id, ct))!, time.GetUtcNow()), null) : (null, Denial.NotFound("key"));

    private async ValueTask<(Caller? Caller, CredentialRules? Rules, DateTimeOffset? Expires, Denial? Denied)> OpenAsync(ServiceCatalog catalog, string name, KeyBody body, CancellationToken ct)
    {
        if (IsTheFiles(catalog, name)) return (null, null, null, Denial.ManagedByFile(name));
        if (await desk.FindAsync(catalog, name, ct) is not { } caller) return (null, null, null, Denial.NotFound("caller"));
        var (rules, valid, error) = CallerOrders.Read(body, caller, catalog);
        return rules is null ? (null, null, null, Denial.Malformed(error)) : (caller, rules, time.GetUtcNow() + valid, null);
    }

    private static bool IsTheFiles(ServiceCatalog catalog, string name) => catalog.Settings.Get<CallerSettings>()?.Find(name) is not null;
}

/// <summary>Why an operator's order is refused.</summary>
internal sealed record Denial(int Status, string Reason, string Title, string Detail)
{
    public static Denial NotFound(string what) => new(404, "not-found", $"No such {what}", $"No {what} has this name.");

    public static Denial Malformed(string detail) => new(400, "malformed-request", "The request is malformed", detail);

    public static Denial SignerTaken(string signer, string by) => new(409, "signer-taken", "Somebody signs by this name already", $"'{signer}' signs as '{by}'; whoever signs is one caller.");

    public static Denial ManagedByFile(string name) => new(409, "managed-by-file", "This belongs to turnpike.yaml", $"'{name}' is named in the file: change it there.");
}
