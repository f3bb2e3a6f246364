using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Protocols.X402;

namespace Turnpike.Payments.Evm;

/// <summary>One amount on one chain: what is asked, parsed and hashed once, and the offer that says so.</summary>
internal sealed record EvmTerms(EvmChain Chain, PaymentRequirements Requirements, ExactEvmTerms Exact, Offer Offer)
{
    /// <summary>How long a payer has to come back, as v2 clients reckon it.</summary>
    public const int Seconds = 300;

    public ChainSettings Settings => Chain.Settings;

    /// <summary>The x402 v2 requirement of an amount in the asset's units.</summary>
    public static PaymentRequirements Requirement(ChainSettings chain, string amount) => new()
    {
        Scheme = ExactEvm.Scheme,
        Network = chain.Network,
        Amount = amount,
        Asset = chain.Asset.Address.ToString(),
        PayTo = chain.PayTo.ToString(),
        MaxTimeoutSeconds = Seconds,
        Extra = Domain(chain.Asset),
    };

    private static JsonElement Domain(AssetSettings asset)
    {
        var buffer = new ArrayBufferWriter<byte>(64);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("name", asset.Name);
            json.WriteString("version", asset.Version);
            json.WriteEndObject();
        }
        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }
}

/// <summary>
/// Terms by catalog and amount, so that a 402 allocates next to nothing for them. They go with their catalog; amounts that are
/// made up per call are not kept beyond a bound.
/// </summary>
internal sealed class EvmTermsBook(EvmChains chains, Func<ChainSettings, PaymentRequirements, Offer> offer)
{
    private const int MostKept = 1_000;
    private readonly ConditionalWeakTable<ServiceCatalog, ConcurrentDictionary<Money, Page>> books = [];

    /// <summary>Terms of this amount on every chain whose asset is of its currency, offered or not.</summary>
    public IReadOnlyList<EvmTerms> Terms(ServiceCatalog catalog, IReadOnlyList<ChainSettings> on, Money amount) => PageOf(catalog, on, amount).Terms;

    /// <summary>Their offers, without chains that are out of order.</summary>
    public IReadOnlyList<Offer> Offers(ServiceCatalog catalog, IReadOnlyList<ChainSettings> on, Money amount)
    {
        var page = PageOf(catalog, on, amount);
        return Array.TrueForAll(page.Terms, static t => t.Chain.Refused is null)
            ? page.Offers
            : [.. page.Terms.Where(static t => t.Chain.Refused is null).Select(static t => t.Offer)];
    }

    private Page PageOf(ServiceCatalog catalog, IReadOnlyList<ChainSettings> on, Money amount)
    {
        var book = books.GetValue(catalog, static _ => new ConcurrentDictionary<Money, Page>());
        if (book.TryGetValue(amount, out var page)) return page;
        page = Write(on, amount);
        if (book.Count < MostKept) book[amount] = page;
        return page;
    }

    private Page Write(IReadOnlyList<ChainSettings> on, Money amount)
    {
        var terms = new List<EvmTerms>(on.Count);
        foreach (var chain in on)
        {
            if (chain.Asset.Currency != amount.Currency || amount.Units <= 0) continue;
            var requirement = EvmTerms.Requirement(chain, amount.ToRail(chain.Asset.Decimals).ToString(System.Globalization.CultureInfo.InvariantCulture));
            if (ExactEvmTerms.Create(requirement, out _) is { } exact) terms.Add(new EvmTerms(chains.Of(chain), requirement, exact, offer(chain, requirement)));
        }
        return new Page([.. terms], [.. terms.Select(t => t.Offer)]);
    }

    private sealed record Page(EvmTerms[] Terms, Offer[] Offers);
}
