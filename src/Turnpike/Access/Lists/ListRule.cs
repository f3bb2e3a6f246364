using System.Net;
using Turnpike.Catalog;
using Turnpike.Identity.Reputations;
using Turnpike.Payments;
using Turnpike.Payments.Included;

namespace Turnpike.Access.Lists;

/// <summary>Allow and deny lists of callers and addresses, before any terms; of payers, when it is verified who pays and before anything is held.</summary>
internal sealed class ListRule(ReputationBook reputations, Shadows shadows) : IAccessRule
{
    public bool IsOfRights => true;

    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct) => AccessLists.Of(call) is { Length: > 0 } all ? CheckAsync(all, call, ct) : default;

    private async ValueTask<Answer?> CheckAsync(AccessLists[] all, Call call, CancellationToken ct)
    {
        if (Array.Exists(all, lists => lists.Reputation is not null)) await reputations.LoadAsync(call, ct);
        foreach (var lists in all)
            if (Check(lists, call) is { } no)
            {
                if (!lists.Shadow) return no;
                await shadows.RecordAsync(call, "access", no, ct);
            }
        return null;
    }

    private static Refusal? Check(AccessLists lists, Call call)
    {
        // An address that cannot be read is on no list of allowed ones.
        if (!lists.Addresses.Permits(IPAddress.TryParse(call.Address, out var address) ? address : IPAddress.None)) return new Refusal(Reasons.AccessDenied, "It is not open to your address.");
        if (lists.Callers.Permits(name => Names(call, name)) && lists.Reputation?.Hold(call) != false && (!lists.Verified || call.Principal?.Agent is { IsVerified: true })) return null;
        return call.Caller is null ? new Refusal(Reasons.IdentityRequired, "This is open to some callers alone.") : new Refusal(Reasons.AccessDenied, "It is not open to you.");
    }

    /// <summary>What a plan includes is no payment.</summary>
    public ValueTask<Answer?> CheckAsync(Payment payment, CancellationToken ct) =>
        payment is { Payer: { } payer, Method: not (null or { Name: PlanMethod.MethodName }) } && AccessLists.Of(payment.Call) is { Length: > 0 } all ? CheckAsync(all, payment.Call, payer, ct) : default;

    private async ValueTask<Answer?> CheckAsync(AccessLists[] all, Call call, string payer, CancellationToken ct)
    {
        foreach (var lists in all)
            if (!lists.Payers.Permits(name => Pays(payer, name)))
            {
                var no = new Refusal(Reasons.AccessDenied, "Your payments are not taken here; nothing was.");
                if (!lists.Shadow) return no;
                await shadows.RecordAsync(call, "access", no, ct);
            }
        return null;
    }

    private static bool Names(Call call, string name) => name.StartsWith("group:", StringComparison.Ordinal)
        ? call.Principal?.Caller.Groups.Contains(name["group:".Length..], StringComparer.Ordinal) == true
        : call.Caller == name;

    /// <summary>As receipts name payers, <c>eip155:8453:0x…</c> or <c>token:…</c>; an address alone is meant on every chain.</summary>
    private static bool Pays(string payer, string name) =>
        payer.Equals(name, StringComparison.OrdinalIgnoreCase) || name.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && payer.EndsWith(":" + name, StringComparison.OrdinalIgnoreCase);
}
