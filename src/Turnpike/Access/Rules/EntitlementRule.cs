using Turnpike.Catalog;
using Turnpike.Plans;

namespace Turnpike.Access.Rules;

/// <summary>What an operation asks of a plan beside amounts: paying by the call does not open what the plan does not.</summary>
internal sealed class EntitlementRule : IAccessRule
{
    public bool IsOfRights => true;

    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct)
    {
        if (call.Operation.Settings.Get<NeededEntitlements>() is not { } needed) return default;
        if (call.Principal is null) return new(new Refusal(Reasons.IdentityRequired, "This operation asks for a plan, and so for who you are."));
        var plan = PlanBook.Of(call);
        foreach (var name in needed.All)
            if (plan?.Entitlements.Has(name) != true) return new(new Refusal(Reasons.PlanLacks, plan is null ? $"You have no plan, and '{name}' comes with one." : $"'{plan.Name}' does not open '{name}'."));
        return default;
    }
}

/// <summary>The entitlements an operation asks for, all of them.</summary>
internal sealed record NeededEntitlements(IReadOnlyList<string> All);
