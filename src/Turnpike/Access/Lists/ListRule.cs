using System.Net;
using Turnpike.Catalog;
using Turnpike.Identity.Reputations;
using Turnpike.Payments;
using Turnpike.Payments.Included;

namespace Turnpike.Access.Lists;

/// <summary>Allow and deny lists of callers and addresses, before any terms; of payers, when it is verified who pays and before anything is held.</summary>
internal sealed class ListRule(ReputationBook reputations) : IAccessRule
{
    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct)
    {
        var all = AccessLists.Of(call);
        return Array.Exists(all, lists => lists.Reputation is not null) ? KnowAsync(all, call, ct) : new(Check(all, call));
    }

    private async ValueTask<Answer?> KnowAsync(AccessLists[] all, Call call, CancellationToken ct)
    {
        await reputations.LoadAsync(call, ct);
        return Check(all, call);
    }

    private static Refusal? Check(AccessLists[] all, Call call)
    {
        foreach (var lists in all)
        {
            // An address that cannot be read is on no list of allowed ones.
            if (!lists.Addresses.Permits(IPAddress.TryParse(call.Address, out var address) ? address : IPAddress.None)) return new Refusal(Reasons.AccessDenied, "It is not open to your address.");
            if (lists.Callers.Permits(name => Names(call, name)) && lists.Reputation?.Hold(call) != false && (!lists.Verified || call.Principal?.Agent is { IsVerified: true })) continue;
            return call.Caller is null ? new Refusal(Reasons.IdentityRequired, "This is open to some callers alone.") : new Refusal(Reasons.AccessDenied, "It is not open to you.");
        }
        return null;
    }

    /// <summary>What a plan includes is no payment.</summary>
    public static Refusal? Check(Payment payment)
    {
        if (payment.Payer is not { } payer || payment.Method is null or { Name: PlanMethod.MethodName }) return null;
        foreach (var lists in AccessLists.Of(payment.Call))
            if (!lists.Payers.Permits(name => Pays(payer, name))) return new Refusal(Reasons.AccessDenied, "Your payments are not taken here; nothing was.");
        return null;
    }

    private static bool Names(Call call, string name) => name.StartsWith("group:", StringComparison.Ordinal)
        ? call.Principal?.Caller.Groups.Contains(name["group:".Length..], StringComparer.Ordinal) == true
        : call.Caller == name;

    /// <summary>As receipts name payers, <c>eip155:8453:0x…</c> or <c>token:…</c>; an address alone is meant on every chain.</summary>
    private static bool Pays(string payer, string name) =>
        payer.Equals(name, StringComparison.OrdinalIgnoreCase) || name.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && payer.EndsWith(":" + name, StringComparison.OrdinalIgnoreCase);
}
