using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Payments;

namespace Turnpike.Access;

/// <summary>May this caller, and later this payer, do this at all? A no here never becomes a 402.</summary>
internal sealed class AccessRules(IEnumerable<IAccessRule> rules, CallerDirectory callers)
{
    private readonly IAccessRule[] rules = [.. rules];

    /// <summary>Before any price is told.</summary>
    public async ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct)
    {
        foreach (var rule in rules)
            if (await rule.CheckAsync(call, ct) is { } no) return no;
        return null;
    }

    /// <summary>Once more when it is known who pays: verifying takes its time, and rights may have ended meanwhile.</summary>
    public ValueTask<Answer?> CheckAsync(Payment payment, CancellationToken ct) =>
        payment.Method is null || payment.Call.Principal is null ? default : callers.StillAsync(payment.Call, ct);
}
