using System.Collections.Frozen;
using Turnpike.Catalog;
using Turnpike.Limits.Incidents;
using Turnpike.Payments.Costs;

namespace Turnpike.Payments;

/// <summary>The protocols and methods there are, each found by its name. Two of one name fail the start.</summary>
internal sealed class PaymentRegistry
{
    private readonly FrozenDictionary<string, IPaymentMethod> methods;
    private readonly IPaymentMethod[] inOrder;
    private readonly RailCosts costs;
    private readonly IncidentBoard incidents;

    public PaymentRegistry(IEnumerable<IPaymentProtocol> protocols, IEnumerable<IPaymentMethod> methods, RailCosts costs, IncidentBoard incidents)
    {
        Protocols = [.. protocols];
        inOrder = [.. methods];
        this.methods = inOrder.ToFrozenDictionary(m => m.Name, StringComparer.Ordinal);
        this.costs = costs;
        this.incidents = incidents;
        CredentialHeaders = string.Join(", ", Protocols.SelectMany(p => p.CredentialHeaders).Distinct(StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>In the order in which their challenges are written.</summary>
    public IReadOnlyList<IPaymentProtocol> Protocols { get; }

    public string CredentialHeaders { get; }

    public IPaymentMethod? Find(string method) => methods.GetValueOrDefault(method);

    /// <summary>
    /// The one credential of this call; null when there is none. Two kinds in one request are refused: which of them was meant
    /// would be decided differently by the next one who reads it.
    /// </summary>
    public Credential? Read(Call call)
    {
        Credential? found = null;
        foreach (var protocol in Protocols)
        {
            if (protocol.Read(call) is not { } credential) continue;
            if (found is not null) return Credential.Several(protocol.Name, $"Both {found.Protocol} and {protocol.Name} credentials are present.");
            found = credential;
        }
        return found;
    }

    /// <summary>The method of this name if the operation accepts it.</summary>
    public IPaymentMethod? Accepted(Call call, string method) => Find(method) is { } known && Accepts(call.Operation, known) && Takes(call.Quote is Pricing.MeteredQuote, known) ? known : null;

    /// <summary>All offers for this call: as the operation prefers them, then by what they really cost.</summary>
    public IReadOnlyList<Offer> Offers(Call call) => Offers(call, call.Quote is Pricing.MeteredQuote);

    /// <summary>The same, where nobody calls yet.</summary>
    public IReadOnlyList<Offer> Offers(Call call, bool metered)
    {
        var offers = Costed(call, metered);
        offers.Sort((a, b) => a.Preference != b.Preference ? a.Preference.CompareTo(b.Preference) : a.Cost.CompareTo(b.Cost));
        return offers.ConvertAll(o => o.Offer);
    }

    /// <summary>What this payment costs the owner, and what the other ways to pay it would have; null where the document says no costs.</summary>
    public string? Compare(Call call, IPaymentMethod chosen, string? network)
    {
        if (call.Quote is null || call.Catalog.Settings.Get<PaymentSettings>() is not { Costs.Count: > 0 }) return null;
        var offers = Costed(call, call.Quote is Pricing.MeteredQuote);
        var taken = offers.Find(o => o.Offer.Method == chosen.Name && (network is null || o.Offer.Network == network));
        var others = offers.Where(o => o != taken).OrderBy(o => o.Cost).Select(o => Told(o.Offer, o.Cost)).ToList();
        return $"costs {(taken.Offer is null ? "nothing that is known" : Told(taken.Offer, taken.Cost))}{(others.Count > 0 ? $"; instead of {string.Join(", ", others)}" : "")}";

        string Told(Offer offer, long cost) => $"{offer.Method}{(offer.Network is { } on ? "/" + on : "")} {new Ledger.Money(cost, call.Quote.Ceiling.Currency)}";
    }

    private List<(Offer Offer, int Preference, long Cost)> Costed(Call call, bool metered)
    {
        var (offers, amount, settings) = (new List<(Offer Offer, int Preference, long Cost)>(4), call.Quote!.Ceiling, call.Catalog.Settings.Get<PaymentSettings>());
        foreach (var method in inOrder)
            if (Accepts(call.Operation, method) && Takes(metered, method) && incidents.OfRail(method.Name, method.Protocol) is null)
                foreach (var offer in method.Offer(call))
                    if (!costs.IsTooLittle(offer, amount, settings)) offers.Add((offer, Preference(call.Operation, method), costs.Of(offer, amount, settings)));
        return offers;
    }

    /// <summary>What is signed for one amount cannot pay a price that is known only afterwards.</summary>
    private static bool Takes(bool metered, IPaymentMethod method) => !metered || method.TakesLess;

    private static bool Accepts(Operation operation, IPaymentMethod method) =>
        operation.Accept.Count == 0 || operation.Accept.Contains(method.Name) || operation.Accept.Contains(method.Protocol);

    private static int Preference(Operation operation, IPaymentMethod method)
    {
        for (var i = 0; i < operation.Accept.Count; i++)
            if (operation.Accept[i] == method.Name || operation.Accept[i] == method.Protocol) return i;
        return int.MaxValue;
    }
}
