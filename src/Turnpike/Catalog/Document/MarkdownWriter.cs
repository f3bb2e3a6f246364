using System.Text;

namespace Turnpike.Catalog.Document;

/// <summary>docs/configure.md, from the same tree that reads the document.</summary>
internal static class MarkdownWriter
{
    private const string Head = """
        # Configuring Turnpike

        <!-- Written by `turnpike schema --markdown`; a test compares. Change the shapes in src, not this page. -->

        One document, `turnpike.yaml`, says what is sold, at what price and how it is paid. `turnpike check FILE` tells what was understood, or every error at once with line and path; exit code 2. A running gateway watches the file: a sound edit replaces the configuration whole, a bad one changes nothing and is logged. `turnpike schema` prints the JSON Schema for editors. Every key once, commented: [turnpike.example.yaml](../turnpike.example.yaml).

        - **References** stand anywhere in a value: `${env:NAME}`, `${env:NAME:-default}`, `${file:PATH}`; `$${` is a plain `${`. One that cannot be resolved is an error. When a file that is referred to changes, the document is read again.
        - **Secrets** are references and nothing else, never a value or a default in the file. Where a list may stand, the current one comes first.
        - **Money** is `0.01 USD`, with at most nine decimals; a **quantity** is `60 requests`; a **duration** is `30s`, `5m`, `1h`, `1d` or `1mo` (30 days).
        - Unknown keys, keys given twice and YAML tags are errors. Relative paths start at the working directory.

        """;

    public static string Write(Shape document)
    {
        var page = new StringBuilder(Head.ReplaceLineEndings("\n"));
        foreach (var section in ((IKeyed)document).Keys)
        {
            page.Append($"\n## {section.Name}\n\n{section.Doc}{(section.Default is null ? "" : $" Left out: {section.Default}.")}\n\n");
            page.Append("| key | what it does | written as | left out | example |\n| --- | --- | --- | --- | --- |\n");
            foreach (var (path, key) in Walk(section.Shape, section.Name))
                page.Append($"| `{path}` | {Cell(key.Doc)} | {Cell(Form(key.Shape))} | {(key.Required ? "**needed**" : Cell(key.Default ?? ""))} | `{key.Example.Replace("|", "\\|")}` |\n");
        }
        return page.ToString();
    }

    /// <summary>Every key below a shape with its path, <c>services.&lt;service&gt;.upstream</c>, in the order of the tree.</summary>
    public static IEnumerable<(string Path, Key Key)> Walk(Shape shape, string path)
    {
        if (shape is not IKeyed keyed) return shape.Below.SelectMany(below => Walk(below, path + shape.Step));
        return keyed.Keys.SelectMany(key => Walk(key.Shape, Join(path, key.Name)).Prepend((Join(path, key.Name), key)));
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Form(Shape shape) => shape is IKeyed ? "a map" : shape.Says;

    private static string Cell(string text) => text.Replace("|", "\\|").Replace("$", "\\$").Replace("<", "&lt;");
}
