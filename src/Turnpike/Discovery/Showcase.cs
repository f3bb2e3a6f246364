using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Payments;
using Turnpike.Pricing;
using Turnpike.Protocols.Http;

namespace Turnpike.Discovery;

/// <summary>The documents that tell what one host sells, written once for each configuration.</summary>
internal sealed class Showcase(CatalogSource source, PaymentRegistry rails, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Documents> written = new(StringComparer.OrdinalIgnoreCase);
    private ServiceCatalog? of;

    /// <summary>What is sold under this name, and under any.</summary>
    public Documents Of(string host)
    {
        var catalog = source.Current;
        if (Interlocked.Exchange(ref of, catalog) != catalog) written.Clear();
        // Names nobody configured are one: whoever asks by many names must not fill the memory.
        var known = catalog.Services.Any(s => host.Equals(s.Host, StringComparison.OrdinalIgnoreCase)) ? host : "";
        return written.GetOrAdd(known, _ => Write(catalog, known));
    }

    private Documents Write(ServiceCatalog catalog, string host)
    {
        var sold = catalog.Services.Where(s => s.Host is null || s.Host.Equals(host, StringComparison.OrdinalIgnoreCase))
            .SelectMany(s => s.Operations.Select(o => new SoldOperation(s, o, OffersOf(catalog, o))))
            .OrderBy(o => o.Path, StringComparer.Ordinal).ThenBy(o => o.Operation.Method, StringComparer.Ordinal).ToList();
        return new Documents(OpenApiDocument.Write(catalog, sold), LlmsDocument.Write(catalog, sold), X402Document.Write(catalog, sold));
    }

    /// <summary>The ways to pay, as the 402 of such a call would tell them.</summary>
    private IReadOnlyList<Offer> OffersOf(ServiceCatalog catalog, Operation operation)
    {
        if (operation.Settings.Get<PriceModel>() is not { } price || price.Most.IsZero) return [];
        var call = new Call
        {
            Catalog = catalog,
            Operation = operation,
            Method = operation.Method,
            Target = RequestTarget.Canonicalise("/"),
            Headers = new HeaderDictionary(),
            Address = "",
            Secure = true,
            Loopback = false,
            Now = clock.GetUtcNow(),
            Quote = new Quote(price.Most, "call", catalog.Version, clock.GetUtcNow() + PriceBook.Valid),
        };
        return rails.Offers(call, metered: price is PriceModel.Metered);
    }
}

/// <summary>What a host tells, as bytes.</summary>
internal sealed record Documents(byte[] OpenApi, byte[] Llms, byte[] X402);
