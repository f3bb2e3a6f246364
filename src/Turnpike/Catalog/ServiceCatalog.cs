using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Turnpike.Catalog;

/// <summary>
/// turnpike.yaml, understood: immutable, swapped whole. A call keeps the catalog it began with.
/// </summary>
internal sealed class ServiceCatalog(string version, GatewaySettings gateway, IReadOnlyList<Service> services, SettingsBag settings)
{
    /// <summary>The first 12 hex digits of the document's SHA-256: the price version that challenges and receipts carry.</summary>
    public string Version { get; } = version;

    public GatewaySettings Gateway { get; } = gateway;

    public IReadOnlyList<Service> Services { get; } = services;

    /// <summary>The sections other slices own: payments, limits …</summary>
    public SettingsBag Settings { get; } = settings;

    private readonly OperationIndex index = new(services);
    private readonly FrozenDictionary<string, Service> byName = services.ToFrozenDictionary(s => s.Name, StringComparer.Ordinal);

    public Service ServiceOf(Operation operation) => byName[operation.Service];

    public FrozenDictionary<string, Operation> Operations => index.ByName;

    /// <summary>The operation that sells this method and canonical path on this host, or null: then it is 404, never free.</summary>
    public Operation? Match(string method, string host, string path) => index.Match(method, host, path);

    /// <summary>The methods this path is sold under, for 405's Allow.</summary>
    public IEnumerable<string> MethodsAt(string host, string path) => index.MethodsAt(host, path);

    /// <summary>True when some operation sells this path under another method.</summary>
    public bool Knows(string host, string path) => index.Knows(host, path);
}

/// <summary>Typed settings by the slice that reads them; a variant (<c>PriceModel.Fixed</c>) is found under its family (<c>PriceModel</c>).</summary>
internal sealed class SettingsBag(IEnumerable<object> settings)
{
    public static SettingsBag Empty { get; } = new([]);

    private readonly FrozenDictionary<Type, object> byType = settings.ToFrozenDictionary(s => Family(s.GetType()));

    public T? Get<T>() where T : class => byType.TryGetValue(typeof(T), out var found) ? (T)found : null;

    public bool TryGet<T>([NotNullWhen(true)] out T? found) where T : class => (found = Get<T>()) is not null;

    public IEnumerable<object> All => byType.Values;

    private static Type Family(Type type) => type.BaseType is { } parent && parent != typeof(object) ? Family(parent) : type;
}
