using System.Net;
using Turnpike.Access.Asking;
using Turnpike.Catalog;

namespace Turnpike.Access.Lists;

/// <summary>The <c>access</c> of a document, a service or an operation; those of all three hold.</summary>
internal sealed record AccessLists(NameList Callers, NameList Payers, NetworkList Addresses)
{
    /// <summary>Who else is asked; null: nobody.</summary>
    public Ask? Ask { get; init; }

    /// <summary>What its callers have to have done, and not done; null: anything.</summary>
    public ReputationBounds? Reputation { get; init; }

    /// <summary>Its callers have to be agents of which an issuer says that somebody verified whom they act for.</summary>
    public bool Verified { get; init; }

    /// <summary>It refuses nobody: what it would have said is audited.</summary>
    public bool Shadow { get; init; }

    /// <summary>All that hold for a call, from the widest to the narrowest; empty for most, and then it costs nothing.</summary>
    public static AccessLists[] Of(Call call)
    {
        var (document, service, operation) = (call.Catalog.Settings.Get<AccessLists>(), call.Catalog.ServiceOf(call.Operation).Settings.Get<AccessLists>(), call.Operation.Settings.Get<AccessLists>());
        return (document ?? service ?? operation) is null ? [] : [.. new[] { document, service, operation }.OfType<AccessLists>()];
    }
}

/// <summary>Names that alone may, and names that may not; what is denied is denied wherever else it is allowed.</summary>
internal sealed record NameList(IReadOnlyList<string> Allow, IReadOnlyList<string> Deny)
{
    public static readonly NameList Everybody = new([], []);

    public bool Permits(Func<string, bool> isMeant) => !Deny.Any(isMeant) && (Allow.Count == 0 || Allow.Any(isMeant));
}

/// <summary>The same for networks.</summary>
internal sealed record NetworkList(IReadOnlyList<IPNetwork> Allow, IReadOnlyList<IPNetwork> Deny)
{
    public static readonly NetworkList Everywhere = new([], []);

    public bool Permits(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return !Deny.Any(n => n.Contains(plain)) && (Allow.Count == 0 || Allow.Any(n => n.Contains(plain)));
    }
}
