using Turnpike.Catalog;
using Turnpike.Pricing;

namespace Turnpike.Access.Rules;

/// <summary>A payment credential in clear text can be taken and spent by whoever is on the way.</summary>
internal sealed class TransportRule : IAccessRule
{
    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct) =>
        call.Operation.Settings.Get<PriceModel>() is null || call.Secure || call.Loopback || call.Catalog.Gateway.Insecure
            ? default
            : new(new Refusal(Reasons.InsecureTransport, "This operation is paid; payments travel over TLS only."));
}
