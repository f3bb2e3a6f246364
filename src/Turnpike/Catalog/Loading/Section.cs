using Turnpike.Catalog.Document;

namespace Turnpike.Catalog.Loading;

/// <summary>Which map of the document a section's key stands in.</summary>
internal enum Scope
{
    Document,
    Service,
    Operation,
}

/// <summary>
/// A key of the document that another slice owns, registered in one place. What it reads goes into the settings of the document,
/// the service or the operation, where the slice finds it by type; null adds nothing.
/// </summary>
internal sealed record Section(Scope Scope, Key Key)
{
    /// <summary>Checks across sections, when everything is read; it notes errors at <see cref="Draft.At"/>.</summary>
    public Action<Draft>? Check { get; init; }

    /// <summary>What <c>turnpike check</c> tells of a document section; a line each.</summary>
    public Func<ServiceCatalog, IEnumerable<string>>? Tell { get; init; }

    /// <summary>What <c>turnpike check</c> tells of each operation, under the section's name; null: nothing.</summary>
    public Func<ServiceCatalog, Operation, string?>? TellOperation { get; init; }
}

/// <summary>A document whose parts have been read, before it is a catalog.</summary>
internal sealed class Draft(MapValues document, GatewaySettings gateway, IReadOnlyList<Service> services, SettingsBag settings, GatewaySettings? running)
{
    public GatewaySettings Gateway => gateway;

    /// <summary>What the process runs with, when the document is to replace another.</summary>
    public GatewaySettings? Running => running;

    public IReadOnlyList<Service> Services => services;

    public IEnumerable<Operation> Operations => services.SelectMany(s => s.Operations);

    public SettingsBag Settings => settings;

    public Spot Root => document.At;

    /// <summary>True when a section was written and refused: do not conclude from its absence.</summary>
    public bool IsBroken(Key section) => document.IsBroken(section);

    /// <summary>Where a key of something that was read stands; the thing itself when the key was not written.</summary>
    public Spot At(object owner, string key) => document.At.Reading.PlaceOf(owner, key);
}
