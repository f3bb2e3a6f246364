using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Plans;

namespace Turnpike.Limits;

/// <summary>Every limit a document writes down, wherever it stands.</summary>
internal static class WrittenLimits
{
    public static IEnumerable<RateRule> Of(ServiceCatalog catalog) =>
    [
        .. catalog.Settings.Get<LimitSettings>()?.Calls ?? [],
        .. catalog.Services.SelectMany(s => All(s.Settings)),
        .. catalog.Services.SelectMany(s => s.Operations).SelectMany(o => All(o.Settings)),
        .. (catalog.Settings.Get<PlanSettings>()?.Plans.Values ?? []).OrderBy(p => p.Name, StringComparer.Ordinal).SelectMany(p => p.Limits),
        .. (catalog.Settings.Get<CallerSettings>()?.All ?? []).SelectMany(c => All(c.Caller.Settings)),
    ];

    private static IEnumerable<RateRule> All(SettingsBag settings) => settings.Get<RateRules>()?.All ?? [];
}
