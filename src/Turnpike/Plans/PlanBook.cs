using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Plans;

/// <summary>What a caller's plan includes for a call, and the accounts that keep count of it.</summary>
internal static class PlanBook
{
    /// <summary>Where allowances come from: what an owner has given, in units.</summary>
    public const string Giver = "external:plan";

    /// <summary>The caller's plan, as the catalog of this call has it.</summary>
    public static Plan? Of(Call call) => Of(call.Catalog, call.Plan);

    public static Plan? Of(ServiceCatalog catalog, string? name) =>
        name is not null && catalog.Settings.Get<PlanSettings>() is { } settings && settings.Plans.TryGetValue(name, out var plan) ? plan : null;

    /// <summary>The account of an allowance in the period that ends then; its name tells when it can be folded away.</summary>
    public static string Account(string caller, Allowance allowance, DateTimeOffset end) => $"plan:{caller}:{allowance.Feature}:{end.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}";

    /// <summary>What was given to this caller on top, until it is used up.</summary>
    public static string Grants(string caller) => $"grant:{caller}";

    public static string Overage(string caller, Allowance allowance, DateTimeOffset end) => $"overage:{caller}:{allowance.Feature}:{end.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}";
}
