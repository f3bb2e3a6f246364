using Turnpike.Catalog;
using Turnpike.Payments;

namespace Turnpike.Access;

/// <summary>May this caller, and later this payer, do this at all? A no here never becomes a 402.</summary>
internal sealed class AccessRules
{
    /// <summary>Before any price is told.</summary>
    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct)
    {
        // A payment credential in clear text can be taken and spent by whoever is on the way.
        if (call.Operation.Settings.Get<Pricing.PriceModel>() is null || call.Secure || call.Loopback || call.Catalog.Gateway.Insecure) return default;
        return new(new Refusal(Reasons.InsecureTransport, "This operation is paid; payments travel over TLS only."));
    }

    /// <summary>Once more when it is known who pays.</summary>
    public ValueTask<Answer?> CheckAsync(Payment payment, CancellationToken ct) => default;
}
