using Turnpike.Access;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Limits;
using Turnpike.Payments;
using Turnpike.Pricing;

namespace Turnpike;

/// <summary>The configuration language: the Catalog's own sections and, one line each, those of the other slices.</summary>
internal static class Language
{
    public static CatalogLoader Loader { get; } = new(
    [
        PaymentSection.Section,
        IdentitySection.Section,
        CallerSection.With(),
        PriceSection.Section,
        LimitSection.Section,
        .. AccessSection.Sections,
    ]);
}
