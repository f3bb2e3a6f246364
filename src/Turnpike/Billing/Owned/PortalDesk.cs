using System.Collections.Concurrent;
using Turnpike.Billing.Invoices;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;

namespace Turnpike.Billing.Owned;

/// <summary>Stripe's page for its customer, or why there is none.</summary>
/// <param name="Wait">Seconds until it may be asked for again.</param>
internal sealed record OpenedPortal(string? Url, Reason? Refused = null, string? Detail = null, long? Wait = null);

/// <summary>Opens Stripe's customer page for callers themselves. Seldom: what Stripe lets us ask in a second is what payments need.</summary>
internal sealed class PortalDesk(StripeInvoicer stripe, CatalogSource catalog, TimeProvider time)
{
    private const int MostKept = 10_000;
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, DateTimeOffset> asked = new(StringComparer.Ordinal);

    public async ValueTask<OpenedPortal> OpenAsync(string caller, CancellationToken ct)
    {
        if (!stripe.Collects) return new(null, Reasons.NotFound, "Invoices are not collected by Stripe here.");
        var now = time.GetUtcNow();
        var until = asked.AddOrUpdate(caller, now, (_, last) => now - last < Apart ? last : now);
        if (until != now) return new(null, Reasons.TooManyCalls, "One page in ten seconds.", (long)Math.Ceiling((until + Apart - now).TotalSeconds));
        if (asked.Count > MostKept) asked.Clear();
        var (url, why) = await stripe.PortalAsync(caller, catalog.Current.Gateway.Url.GetLeftPart(UriPartial.Authority) + InvoicesApi.Path + "/portal", ct);
        return url is not null ? new(url) : new(null, Reasons.VerifierDown, why);
    }
}
