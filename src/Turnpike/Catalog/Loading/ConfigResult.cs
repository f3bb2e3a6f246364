using Turnpike.Catalog.Document;

namespace Turnpike.Catalog.Loading;

/// <summary>What became of a document: a catalog, or everything that is wrong with it, sorted by line. Warnings come with both.</summary>
internal sealed record ConfigResult(ServiceCatalog? Catalog, IReadOnlyList<ConfigError> Errors, IReadOnlyList<ConfigError> Warnings)
{
    public required string File { get; init; }

    /// <summary>The errors as lines, <c>file:line:column: path: message</c>.</summary>
    public IEnumerable<string> ErrorLines => Errors.Select(e => e.In(File));

    public IEnumerable<string> WarningLines => Warnings.Select(w => w.In(File));
}
