using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Limits.Notices;
using Turnpike.Payments;
using Turnpike.Tokens;

namespace Turnpike.Billing.Leaks;

/// <summary>
/// A text that was found in public: is it one of ours, and what becomes of it? A token's money stays its owner's: it goes to a new
/// token, which the buyer sees where the first one was shown and operators see by its id.
/// </summary>
internal sealed class LeakedCredentials(CatalogSource catalog, CallerDesk callers, TokenDesk tokens, Notices notices, IAuditTrail audit)
{
    private const int MostText = 1024, MostUrl = 500;

    /// <summary>True when it is, or was, one of ours.</summary>
    public async ValueTask<bool> ReportAsync(string text, string? source, string? url, LeakPolicy policy, CancellationToken ct)
    {
        if (text.Length is 0 or > MostText) return false;
        var where = $"{source ?? "unknown"}{(url is { Length: > 0 and <= MostUrl } && !url.Any(char.IsControl) ? " " + url : "")}";
        return text.StartsWith("tp_", StringComparison.Ordinal) ? await TokenAsync(text, where, policy, ct) : await KeyAsync(text, where, policy, ct);
    }

    private async ValueTask<bool> TokenAsync(string text, string where, LeakPolicy policy, CancellationToken ct)
    {
        if (catalog.Current.Settings.Get<PaymentSettings>()?.Prepaid?.Text.Read(text).Id is not { } id || await tokens.FindAsync(id, ct) is not { } token) return false;
        if (token.Status != TokenStatus.Active) return true;
        string? next = null;
        if (policy == LeakPolicy.Cap) await tokens.SetStatusAsync(id, TokenStatus.Frozen, "leaked: " + where, ct);
        else if (policy == LeakPolicy.Revoke) next = (await tokens.SucceedAsync(token, "leaked: " + where, ct))?.Id;
        await TellAsync(new AuditEvent { Kind = AuditKinds.KeyLeaked, Correlation = Ids.New("c"), Payer = token.Account, Reference = id, Reason = Text(policy), Detail = next is null ? where : $"{where}; what was left is at token:{next}" }, ct);
        return true;
    }

    private async ValueTask<bool> KeyAsync(string text, string where, LeakPolicy policy, CancellationToken ct)
    {
        if (!KeyText.IsSound(text)) return false;
        var hash = KeyHash.Of(text);
        var named = catalog.Current.Settings.Get<CallerSettings>()?.Find(hash);
        var known = await callers.FindAsync(hash, ct);
        if (named is null && known is null) return false;
        if (known is { Key.Revoked: not null }) return true;
        var caller = named?.Caller.Name ?? known!.Value.Key.Caller;
        if (policy != LeakPolicy.Notify)
        {
            // A key of the file cannot be taken out of the file from here: its hash is kept here as well, and refused by that.
            var key = known?.Key ?? await callers.NoteAsync(caller, hash, named!.Rules, ct);
            if (policy == LeakPolicy.Revoke) await callers.RevokeAsync(key.Id, "leaked: " + where, ct);
            else await callers.CapAsync(key, "leaked: " + where, ct);
        }
        await TellAsync(new AuditEvent { Kind = AuditKinds.KeyLeaked, Correlation = Ids.New("c"), Caller = caller, Reference = named?.Credential["key:".Length..] ?? known!.Value.Key.Id, Reason = Text(policy), Detail = where }, ct);
        return true;
    }

    private async ValueTask TellAsync(AuditEvent happened, CancellationToken ct)
    {
        await audit.RecordAsync(happened, ct);
        await notices.PostAsync(happened, ct);
    }

    private static string Text(LeakPolicy policy) => policy.ToString().ToLowerInvariant();
}
