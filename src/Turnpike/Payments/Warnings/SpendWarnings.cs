using System.Collections.Concurrent;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Ledger;
using Turnpike.Limits.Notices;
using Turnpike.Plans;
using Turnpike.Plans.Grants;
using Turnpike.Storage;
using Turnpike.Tokens;

namespace Turnpike.Payments.Warnings;

/// <summary>
/// Tells when a cap, an allowance, a token's budget or a grant has been used so far. Accounts that calls touched are looked at a second
/// later, however many calls that were; what is told is an entry of the books under a name of its own, and so told once by however many
/// nodes. A crash in between tells it after the next call.
/// </summary>
internal sealed partial class SpendWarnings(CatalogSource catalog, ILedger ledger, TokenStore tokens, GrantStore grants, Notices notices, TimeProvider time, ILogger<SpendWarnings> log) : BackgroundService
{
    private const int MostKept = 100_000;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<AccountKey, Touched> touched = new();
    private readonly ConcurrentDictionary<string, bool> told = new(StringComparer.Ordinal);

    /// <summary>A payment is over: what it was taken from, or did not suffice for it, is looked at soon. Costs nothing where nobody is to be told.</summary>
    public void Touch(Payment payment)
    {
        if (payment.Call.Catalog.Settings.Get<WarnSettings>() is null) return;
        if (payment.ShortOf is { } missing) Touch(new AccountKey(missing.Account, missing.Available.Currency), payment, isShort: true);
        if (!payment.IsPaid) return;
        foreach (var leg in payment.State!.Hold.Legs)
            if (leg.Limited) Touch(leg.Giver(), payment, isShort: false);
    }

    /// <summary>Looks at everything that was touched since.</summary>
    public async Task LookAsync(CancellationToken ct)
    {
        foreach (var key in touched.Keys)
            if (touched.TryRemove(key, out var touch) && catalog.Current.Settings.Get<WarnSettings>() is { } settings)
                await LookAsync(settings, key, touch, ct);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try { await LookAsync(stoppingToken); }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested) { Log.Failed(log, e); }
        }
    }

    private void Touch(AccountKey key, Payment payment, bool isShort)
    {
        if (touched.Count < MostKept) touched.AddOrUpdate(key, (_, by) => new Touched(by.Call.Correlation, by.Call.Caller, by.Payer, isShort), (_, before, by) => before.IsShort ? before : new Touched(by.Call.Correlation, by.Call.Caller, by.Payer, isShort), payment);
    }

    private async ValueTask LookAsync(WarnSettings settings, AccountKey key, Touched touch, CancellationToken ct)
    {
        if (await LimitAsync(key, ct) is not { Units: > 0 } limit || await ledger.AccountAsync(key.Account, key.Currency, ct) is not { } account) return;
        var used = account.Available < limit ? limit - account.Available : Money.Zero(key.Currency);
        foreach (var percent in settings.At)
            if ((Int128)used.Units * 100 >= (Int128)limit.Units * percent || percent == 100 && touch.IsShort) await TellAsync(key.Account, percent, used, limit, touch, ct);
    }

    /// <summary>What the account began with; null where nothing is said of such.</summary>
    private async ValueTask<Money?> LimitAsync(AccountKey key, CancellationToken ct)
    {
        var parts = key.Account.Split(':', 3);
        switch (parts)
        {
            case ["cap" or "plan" or "overage", ..]: return (await ledger.AccountAsync(key.Account, key.Currency, ct))?.Raised;
            case ["token", var id] when await tokens.FindAsync(id, ct) is { } token: return token.Budget.Currency == key.Currency ? token.Budget + token.Added : token.Calls is { } calls && key.Currency == Token.CallsCurrency ? new Money(calls, Token.CallsCurrency) : null;
            case ["balance", var caller, var id]: return (await grants.FindAsync(caller, id, ct))?.Amount;
            default: return null;
        }
    }

    private async ValueTask TellAsync(string account, int percent, Money used, Money limit, Touched touch, CancellationToken ct)
    {
        // The limit belongs to the name: topped up, or raised by the owner, it begins anew.
        var id = $"warned:{account}:{percent}:{limit}";
        if (told.ContainsKey(id)) return;
        var happened = new AuditEvent { Kind = AuditKinds.SpendWarned, Correlation = touch.Correlation, Caller = touch.Caller, Payer = touch.Payer, Amount = used.ToString(), Reference = account, Reason = $"{percent}%", Detail = $"{used} of {limit} is used" };
        if (await ledger.PostAsync(new Transfer(id, "allowance:warned", "used:warned", Money.Zero(limit.Currency), "warned", LimitedFrom: false, LimitedTo: false) { Correlation = touch.Correlation, Events = [happened] }, ct) == PostResult.Posted) await notices.PostAsync(happened, ct);
        if (told.Count >= MostKept) told.Clear();
        told[id] = true;
    }

    /// <summary>Who touched an account last, and whether it did not suffice.</summary>
    private readonly record struct Touched(string Correlation, string? Caller, string? Payer, bool IsShort);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "How far limits are used could not be looked at; it is tried after the next call.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
