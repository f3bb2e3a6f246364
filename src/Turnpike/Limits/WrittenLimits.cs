using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Plans;

namespace Turnpike.Limits;

/// <summary>Every limit a document writes down, wherever it stands.</summary>
internal static class WrittenLimits
{
    public static IEnumerable<RateRule> Of(ServiceCatalog catalog) => Of(catalog.Settings, catalog.Services);

    public static IEnumerable<RateRule> Of(SettingsBag document, IReadOnlyList<Service> services) =>
    [
        .. document.Get<LimitSettings>()?.Calls ?? [],
        .. services.SelectMany(s => All(s.Settings)),
        .. services.SelectMany(s => s.Operations).SelectMany(o => All(o.Settings)),
        .. (document.Get<PlanSettings>()?.Plans.Values ?? []).OrderBy(p => p.Name, StringComparer.Ordinal).SelectMany(p => p.Limits),
        .. (document.Get<CallerSettings>()?.All ?? []).SelectMany(c => All(c.Caller.Settings)),
    ];

    private static IEnumerable<RateRule> All(SettingsBag settings) => settings.Get<RateRules>()?.All ?? [];
}
