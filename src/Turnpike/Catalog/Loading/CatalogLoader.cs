using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog.Document;

namespace Turnpike.Catalog.Loading;

/// <summary>turnpike.yaml to a catalog. Pure: what a document means depends on its text and the environment given, and nothing is kept.</summary>
internal sealed class CatalogLoader
{
    private readonly ServiceSection services;
    private readonly MapShape<DraftParts> document;

    public CatalogLoader(IReadOnlyList<Section> sections)
    {
        Sections = sections;
        services = new ServiceSection(sections);
        document = new MapShape<DraftParts>([GatewaySection.Key, .. DocumentKeys, services.Key], m => new DraftParts(m), patient: true);
    }

    /// <summary>The sections of other slices, in the order of the document.</summary>
    public IReadOnlyList<Section> Sections { get; }

    /// <summary>The whole language.</summary>
    public Shape Shape => document;

    private IEnumerable<Key> DocumentKeys => Sections.Where(s => s.Scope == Scope.Document).Select(s => s.Key);

    /// <summary>The catalog, or everything that is wrong at once.</summary>
    /// <param name="running">What the process runs with: what it cannot change is an error.</param>
    public ConfigResult Load(string text, string fileName, ConfigEnvironment environment, GatewaySettings? running = null)
    {
        var reading = new Reading(environment);
        var root = YamlReader.Read(text, (line, column, message) => reading.Errors.Add(new ConfigError(line, column, "", message)));
        Draft? draft = null;
        if (root is not null && document.TryRead(new Spot(root, "", reading), out var parts)) Check(draft = Build(parts.Values, running));
        var catalog = reading.Errors.Count == 0 && draft is not null ? new ServiceCatalog(VersionOf(text, reading.Versioned), draft.Gateway, draft.Services, draft.Settings) : null;
        return new ConfigResult(catalog, Sorted(reading.Errors), Sorted(reading.Warnings)) { File = fileName };
    }

    /// <summary>The text of a document file; null when it cannot be read or is larger than a document may be.</summary>
    public static string? ReadText(string path)
    {
        try
        {
            var info = new FileInfo(path);
            return info.Exists && info.Length <= YamlReader.MostBytes ? File.ReadAllText(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private void Check(Draft draft)
    {
        GatewaySection.Check(draft);
        ServiceSection.Check(draft);
        foreach (var section in Sections) section.Check?.Invoke(draft);
    }

    private Draft Build(MapValues m, GatewaySettings? running)
    {
        var gateway = m.Get(GatewaySection.Key);
        if (gateway is null) m.At.Reading.Place(gateway = new GatewaySettings(), "", m.Of(GatewaySection.Key));
        var settings = new SettingsBag(DocumentKeys.Select(m.GetAny).OfType<object>());
        return new Draft(m, gateway, [.. m.Get(services.Key, []).Select(s => s.Value)], settings, running);
    }

    /// <summary>The first 12 hex digits of the SHA-256 of the text, and of what those of its references stand for that are of the version.</summary>
    private static string VersionOf(string text, IEnumerable<KeyValuePair<string, string>> versioned) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text + string.Concat(versioned.Select(p => $"\n{p.Key}: {p.Value}")))))[..12];

    private static List<ConfigError> Sorted(IEnumerable<ConfigError> errors) => [.. errors.Distinct().OrderBy(e => e.Line).ThenBy(e => e.Column).ThenBy(e => e.Path, StringComparer.Ordinal)];

    /// <summary>The document's values, read but not yet put together.</summary>
    private sealed record DraftParts(MapValues Values);
}
