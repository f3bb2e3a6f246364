using Turnpike.Catalog;
using Turnpike.Plans;

namespace Turnpike.Admin.Organisations;

/// <summary>What is said of an organisation; what is left out is nothing.</summary>
/// <param name="Caps">The most its callers may spend, each as <c>5000.00 USD per 1mo</c> or <c>200.00 USD per 1d each caller</c>; each organisation, unless said: all of them together.</param>
/// <param name="Status"><c>active</c>, unless said, or <c>suspended</c>: none of its callers is served.</param>
internal sealed record OrganisationBody(IReadOnlyList<string>? Caps = null, string? Note = null, string? Status = null);

/// <summary>An organisation: what its callers may spend together, and what they have.</summary>
/// <param name="Managed">By the <c>file</c>, or <c>here</c>.</param>
internal sealed record OrganisationView(string Name, string Status, string Managed, IReadOnlyList<string> Caps, string? Note)
{
    /// <summary>How far the caps on all of them together are used; told where one organisation is asked for.</summary>
    public IReadOnlyList<CapView>? Spent { get; init; }

    /// <summary>What is left of its balance, by currency; told where one organisation is asked for.</summary>
    public IReadOnlyList<MoneyView>? Available { get; init; }

    public static OrganisationView Of(Organisation organisation) => new(organisation.Name, organisation.Suspended ? "suspended" : "active", organisation.ManagedByFile ? "file" : "here", [.. organisation.Caps.Select(c => c.ToString())], organisation.Note);
}

/// <summary>How far a cap is used: what is on its way counts.</summary>
/// <param name="Cap">Its name in balances: <c>organisation/1mo</c>, <c>organisation/total</c>.</param>
/// <param name="ResetAt">Null: it has no period.</param>
internal sealed record CapView(string Cap, MoneyView Limit, MoneyView Used, MoneyView Left, DateTimeOffset? ResetAt);

/// <summary>Organisations by name.</summary>
/// <param name="Next">Give it as <c>after</c> for the next page; null at the end.</param>
internal sealed record OrganisationList(IReadOnlyList<OrganisationView> Organisations, string? Next);

/// <summary>The callers of an organisation, by name.</summary>
internal sealed record MemberList(string Organisation, IReadOnlyList<string> Members, string? Next);
