using Turnpike.Access;
using Turnpike.Billing.Export;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Limits;
using Turnpike.Payments;
using Turnpike.Plans;
using Turnpike.Pricing;

namespace Turnpike;

/// <summary>The configuration language: the Catalog's own sections and, one line each, those of the other slices.</summary>
internal static class Language
{
    public static CatalogLoader Loader { get; } = new(
    [
        PaymentSection.Section,
        MeterSection.Section,
        ExportSection.Section,
        Billing.Invoices.BillingSection.Section,
        IdentitySection.Section,
        CallerSection.With(LimitSection.OfCaller, CapSection.OfCaller),
        PlanSection.Section,
        CapSection.OfOrganisations,
        PriceSection.Section,
        Pricing.Buying.SpendingSection.Section,
        Payments.Buying.WalletSection.Section,
        OwnCostSection.Section,
        UsageSection.Section,
        HangUpSection.Section,
        LimitSection.Section,
        Limits.Breakers.BreakerSection.Section,
        Limits.Notices.NoticeSection.Section,
        Limits.Notices.WarnSection.Section,
        Billing.Leaks.LeakSection.Section,
        LimitSection.OfService,
        LimitSection.OfOperation,
        LimitSection.OfWeight,
        .. AccessSection.Sections,
        Access.Approvals.StepUpSection.Section,
        Admin.Data.RetentionSection.Section,
        .. Access.Lists.AccessListSection.Sections,
    ]);
}
