using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog.Document;

namespace Turnpike.Catalog.Loading;

/// <summary>turnpike.yaml to a catalog. Pure: what a document means depends on its text and the environment given, and nothing is kept.</summary>
internal sealed class CatalogLoader
{
    private readonly ServiceSection services;
    private readonly MapShape<Draft> document;

    public CatalogLoader(IReadOnlyList<Section> sections)
    {
        Sections = sections;
        services = new ServiceSection(sections);
        document = new MapShape<Draft>([GatewaySection.Key, .. DocumentKeys, services.Key], Build, patient: true);
    }

    /// <summary>The sections of other slices, in the order of the document.</summary>
    public IReadOnlyList<Section> Sections { get; }

    /// <summary>The whole language.</summary>
    public IKeyed Language => document;

    private IEnumerable<Key> DocumentKeys => Sections.Where(s => s.Scope == Scope.Document).Select(s => s.Key);

    /// <summary>The catalog, or everything that is wrong at once.</summary>
    public ConfigResult Load(string text, string fileName, ConfigEnvironment environment)
    {
        var reading = new Reading(environment);
        var root = YamlReader.Read(text, (line, column, message) => reading.Errors.Add(new ConfigError(line, column, "", message)));
        Draft? draft = null;
        if (root is not null && document.TryRead(new Spot(root, "", reading), out draft)) Check(draft);
        var catalog = reading.Errors.Count == 0 && draft is not null ? new ServiceCatalog(VersionOf(text), draft.Gateway, draft.Services, draft.Settings) : null;
        return new ConfigResult(catalog, Sorted(reading.Errors), Sorted(reading.Warnings)) { File = fileName };
    }

    private void Check(Draft draft)
    {
        GatewaySection.Check(draft);
        ServiceSection.Check(draft);
        foreach (var section in Sections) section.Check?.Invoke(draft);
    }

    private Draft Build(MapValues m)
    {
        var gateway = m.Get(GatewaySection.Key);
        if (gateway is null) m.At.Reading.Place(gateway = new GatewaySettings(), "", m.Of(GatewaySection.Key));
        var settings = new SettingsBag(DocumentKeys.Select(m.GetAny).OfType<object>());
        return new Draft(m, gateway, [.. m.Get(services.Key, []).Select(s => s.Value)], settings);
    }

    /// <summary>The first 12 hex digits of the SHA-256 of the text.</summary>
    private static string VersionOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..12];

    private static List<ConfigError> Sorted(IEnumerable<ConfigError> errors) => [.. errors.Distinct().OrderBy(e => e.Line).ThenBy(e => e.Column).ThenBy(e => e.Path, StringComparer.Ordinal)];
}
