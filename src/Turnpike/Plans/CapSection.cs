using System.Collections.Frozen;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Identity.Organisations;
using Turnpike.Ledger;

namespace Turnpike.Plans;

/// <summary>The <c>caps</c> of a caller, and those of <c>organisations</c>.</summary>
internal static class CapSection
{
    private const int MostName = 128;

    private static readonly Key<Money> Amount = new("amount", Shapes.Money, "The most that may be spent.") { Required = true, Example = "500.00 USD" };
    private static readonly Key<CapScope> Each = new("each", Scopes(CapScope.Caller), "Whom it holds for: the caller, each of its keys, each token it pays with, or each task that the header Turnpike-Task names, or else the trace id of traceparent.") { Default = "caller", Example = "task" };
    private static readonly Key<CapScope> EachOf = new("each", Scopes(CapScope.Organisation), "Whom it holds for: all of it together, each of its callers, each of their keys, each token they pay with, or each task.") { Default = "organisation", Example = "caller" };

    private static readonly Key<Caps> OfOne = new("caps", List(EachOf, CapScope.Organisation), "The most its callers may spend, together and each.") { Required = true, Example = "[{ amount: 5000.00 USD, per: 1mo }]" };
    private static readonly Key<bool> Suspended = new("status", new ChoiceShape<bool>(("active", false), ("suspended", true)), "Are its callers served? Others are 403.") { Default = "active", Example = "suspended" };
    private static readonly NamedShape<Organisation> Organisations = new("organisations by name", "organisation", CheckName, new MapShape<Organisation>([OfOne, Suspended], m => new Organisation("") { Caps = m.Get(OfOne)?.All ?? [], Suspended = m.Get(Suspended), ManagedByFile = true }));

    public static readonly Key OfCaller = new Key<Caps>("caps", List(Each, CapScope.Caller), "The most it may spend, in a period or in all, whatever way it pays; what is on its way counts, too.") { Default = "none", Example = "[{ amount: 500.00 USD, per: 1mo }]" };

    public static readonly Section OfOrganisations = new(Scope.Document, new Key<OrganisationSettings>("organisations", new ConvertedShape<IReadOnlyList<KeyValuePair<string, Organisation>>, OrganisationSettings>(Organisations, all => new OrganisationSettings(all.DistinctBy(o => o.Key).ToFrozenDictionary(o => o.Key, o => o.Value with { Name = o.Key }, StringComparer.Ordinal))),
        "What callers with the same 'organisation' may spend together.") { Default = "none", Example = "{ Acme Corp: { caps: [{ amount: 5000.00 USD, per: 1mo }] } }" }) { Check = WarnOfUncapped };

    /// <summary>A key that is stolen, or an agent that runs wild, spends until somebody notices.</summary>
    private static void WarnOfUncapped(Draft draft)
    {
        var capped = draft.Settings.Get<OrganisationSettings>()?.All;
        foreach (var caller in draft.Settings.Get<CallerSettings>()?.All ?? [])
            if ((caller.Keys.Count > 0 || caller.SignsAs.Count > 0) && caller.Caller.Settings.Get<Caps>() is null && capped?.ContainsKey(caller.Caller.Organisation ?? "") != true)
                draft.At(caller, caller.Keys.Count > 0 ? "keys" : "signs-as").Warn($"{(caller.Keys.Count > 0 ? "keys" : "signatures")} without 'caps' of their caller may spend without end");
        var identity = draft.Settings.Get<IdentitySettings>();
        foreach (var issuer in identity?.Issuers.Where(i => i.Callers.Anybody && capped?.ContainsKey(i.Name) != true) ?? []) WarnOfTokens(draft.At(issuer, "callers"), issuer.Name);
        if (identity?.Introspection is { Callers.Anybody: true } asked && capped?.ContainsKey(asked.Url.Host) != true) WarnOfTokens(draft.At(asked, "callers"), asked.Url.Host);
    }

    /// <summary>Whoever a token names belongs to its issuer.</summary>
    private static void WarnOfTokens(Spot at, string issuer) => at.Warn($"whoever these tokens name may spend without end; give '{issuer}' caps in 'organisations'");

    private static ConvertedShape<IReadOnlyList<Cap>, Caps> List(Key<CapScope> each, CapScope usual) =>
        new(new ListShape<Cap>(new MapShape<Cap>([Amount, .. PeriodShape.UnendingKeys, each], m => Build(m, each, usual))), caps => new Caps(caps));

    private static Cap? Build(MapValues m, Key<CapScope> each, CapScope usual) =>
        PeriodShape.TryReadOptional(m, out var period) ? new Cap(m.Get(Amount), period, m.IsWritten(each) ? m.Get(each) : usual) : null;

    private static ChoiceShape<CapScope> Scopes(CapScope first) => new([.. Enum.GetValues<CapScope>().Where(s => s >= first).Select(s => (Cap.Text(s), s))]);

    public static string? CheckName(string name) => name.Length is > 0 and <= MostName && name.All(c => c is >= ' ' and <= '~') ? null : $"is no name; write at most {MostName} characters of printable ASCII";
}
