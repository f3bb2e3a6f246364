using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;

namespace Turnpike.Tests.Catalog;

/// <summary>The tree of shapes, and all that is made from it.</summary>
public sealed class LanguageTests
{
    private static readonly IReadOnlyList<(string Path, Key Key)> Keys = [.. MarkdownWriter.Walk(Language.Loader.Shape, "")];

    [Fact]
    public void Every_key_says_what_it_does_and_what_holds_without_it()
    {
        foreach (var (path, key) in Keys)
        {
            key.Doc.ShouldEndWith(".", Case.Sensitive, path);
            key.Doc.ShouldNotContain("\n", Case.Sensitive, path);
            (key.Required ^ key.Default is not null).ShouldBeTrue($"{path} is needed, or has a default");
        }
    }

    [Fact]
    public void Every_example_is_what_its_key_takes()
    {
        foreach (var (path, key) in Keys)
        {
            var reading = new Reading(Documents.Environment);
            var node = YamlReader.Read(key.Example, (_, _, message) => reading.Errors.Add(new ConfigError(1, 1, path, message)));
            // Examples of maps that point elsewhere in the document are looked up in the example document instead.
            var read = node is not null && (path is "payments.x402" or "payments.mpp" || key.Shape.TryReadAny(new Spot(node, path, reading), out _));
            reading.Errors.Select(e => e.In("example")).ShouldBeEmpty();
            read.ShouldBeTrue(path);
        }
    }

    [Fact]
    public void The_schema_is_the_one_committed() =>
        Compare("test/Turnpike.Tests/Snapshots/turnpike.schema.json", markdown: false, "turnpike schema");

    [Fact]
    public void The_page_on_configuration_is_the_one_committed() => Compare("docs/configure.md", markdown: true, "turnpike schema --markdown");

    [Fact]
    public void The_example_document_loads_and_has_every_key()
    {
        var text = File.ReadAllText(Documents.FromRoot("turnpike.example.yaml"));
        Documents.Load(text).WarningLines.ShouldBeEmpty();
        Documents.Sound(text).Operations.Count.ShouldBe(17);
        var root = YamlReader.Read(text, (_, _, message) => throw new InvalidOperationException(message)).ShouldNotBeNull();
        // A wrapped service takes the keys of an operation: shown there, they need not be shown again.
        Keys.Select(k => k.Path).Where(path => !Keys.Any(k => k.Path != path && k.Path == path.Replace("<service>.", "<service>.operations.<operation>.", StringComparison.Ordinal)))
            .Where(path => !Has(root, path.Replace("[]", ".[]").Split('.'))).ShouldBeEmpty();
    }

    private static bool Has(Node node, ReadOnlySpan<string> path)
    {
        if (path.Length == 0) return true;
        var rest = path[1..];
        if (node is ListNode list)
        {
            foreach (var item in list.Items)
                if (Has(item, path[0] == "[]" ? rest : path)) return true;
            return false;
        }
        if (node is not MapNode map) return false;
        foreach (var entry in map.Entries)
            if ((path[0].StartsWith('<') || entry.Key.Text == path[0]) && Has(entry.Value, rest)) return true;
        return false;
    }

    private static void Compare(string file, bool markdown, string command)
    {
        var written = new StringWriter();
        SchemaCommand.Run(Language.Loader, markdown, written).ShouldBe(0);
        File.ReadAllText(Documents.FromRoot(file)).ShouldBe(written.ToString(), $"{file} is written by a command: {command} > {file}");
    }
}
