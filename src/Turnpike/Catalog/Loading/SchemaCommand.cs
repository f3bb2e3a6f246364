using Turnpike.Catalog.Document;

namespace Turnpike.Catalog.Loading;

/// <summary><c>turnpike schema</c>: the JSON Schema for editors; with <c>--markdown</c>, docs/configure.md.</summary>
internal static class SchemaCommand
{
    public static int Run(CatalogLoader loader, bool markdown, TextWriter output)
    {
        output.Write(markdown ? MarkdownWriter.Write(loader.Shape) : SchemaWriter.Write(loader.Shape));
        return 0;
    }
}
