using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Turnpike.Catalog.Document;

/// <summary>
/// YAML text to nodes: one document, no tags (they name types to make), keys once, aliases only of what was written before and
/// never more than <see cref="MostNodes"/> nodes when written out. Bad text is reported, never thrown.
/// </summary>
internal sealed class YamlReader
{
    public const int MostBytes = 4 << 20;
    private const int MostDepth = 48;
    private const long MostNodes = 200_000;

    private readonly Dictionary<string, Node?> anchors = new(StringComparer.Ordinal);
    private readonly Parser parser;
    private readonly Action<int, int, string> problem;

    private YamlReader(string text, Action<int, int, string> problem)
    {
        parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
        this.problem = problem;
    }

    /// <summary>The document's root, or null when it cannot be read at all; what is wrong goes to <paramref name="problem"/> as line, column, sentence.</summary>
    public static Node? Read(string text, Action<int, int, string> problem)
    {
        if (text.Length > MostBytes || System.Text.Encoding.UTF8.GetByteCount(text) > MostBytes)
        {
            problem(1, 1, "the document is larger than 4 MiB");
            return null;
        }
        try
        {
            return new YamlReader(text, problem).ReadDocument();
        }
        catch (YamlException e)
        {
            problem(Math.Max((int)e.Start.Line, 1), Math.Max((int)e.Start.Column, 1), "this is not YAML: " + Sentence(e.Message));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException or IndexOutOfRangeException or NullReferenceException)
        {
            // The scanner has states of its own in which it throws these on hostile text; the text is at fault, so say so.
            problem(1, 1, "this is not YAML");
        }
        return null;
    }

    private Node? ReadDocument()
    {
        parser.MoveNext();
        parser.MoveNext();
        if (parser.Current is StreamEnd) return new MapNode(1, 1, []);
        parser.MoveNext();
        var root = ReadNode(0);
        if (root is null) return null;
        parser.MoveNext();
        if (parser.Current is DocumentStart more) Problem(more, "one file holds one document");
        return root is ScalarNode { IsNothing: true } ? new MapNode(1, 1, []) : root;
    }

    /// <summary>Reads the node at the parser's position and leaves the parser behind it. Null ends the reading: the bounds are passed.</summary>
    private Node? ReadNode(int depth)
    {
        var at = parser.Current!;
        if (depth > MostDepth)
        {
            Problem(at, $"the document is nested deeper than {MostDepth}");
            return null;
        }
        if (at is AnchorAlias alias) return Alias(alias);
        if (at is not NodeEvent started) { Problem(at, "something is missing here"); return null; }
        if (!started.Tag.IsEmpty) Problem(at, "tags are not part of this language");
        if (!started.Anchor.IsEmpty) anchors[started.Anchor.Value] = null;
        Node? node = started switch
        {
            Scalar scalar => ReadScalar(scalar),
            SequenceStart => ReadList(at, depth),
            _ => ReadMap(at, depth),
        };
        if (!started.Anchor.IsEmpty && node is not null) anchors[started.Anchor.Value] = node;
        if (node?.Size > MostNodes)
        {
            Problem(at, "the document is too large when its aliases are written out");
            return null;
        }
        return node;
    }

    private Node? Alias(AnchorAlias alias)
    {
        parser.MoveNext();
        if (anchors.GetValueOrDefault(alias.Value.Value) is { } named) return named;
        Problem(alias, $"'*{Reading.Shown(alias.Value.Value)}' names nothing that is complete before it");
        return null;
    }

    private ScalarNode ReadScalar(Scalar scalar)
    {
        parser.MoveNext();
        return new ScalarNode((int)scalar.Start.Line, (int)scalar.Start.Column, scalar.Value, scalar.Style is ScalarStyle.Plain);
    }

    private ListNode? ReadList(ParsingEvent start, int depth)
    {
        var items = new List<Node>();
        parser.MoveNext();
        while (parser.Current is not SequenceEnd)
        {
            if (ReadNode(depth + 1) is not { } item) return null;
            items.Add(item);
        }
        parser.MoveNext();
        return new ListNode((int)start.Start.Line, (int)start.Start.Column, items);
    }

    private MapNode? ReadMap(ParsingEvent start, int depth)
    {
        var entries = new List<MapEntry>();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        parser.MoveNext();
        while (parser.Current is not MappingEnd)
        {
            var at = parser.Current!;
            if (ReadNode(depth + 1) is not { } key || ReadNode(depth + 1) is not { } value) return null;
            if (key is not ScalarNode name) Problem(at, "a key is plain text");
            else if (!seen.TryAdd(name.Text, name.Line)) Problem(at, $"'{Reading.Shown(name.Text)}' is given twice; first on line {seen[name.Text]}");
            else entries.Add(new MapEntry(name, value));
        }
        parser.MoveNext();
        return new MapNode((int)start.Start.Line, (int)start.Start.Column, entries);
    }

    private void Problem(ParsingEvent at, string message) => problem((int)at.Start.Line, (int)at.Start.Column, message);

    private static string Sentence(string message) => message.Length == 0 ? "" : char.ToLowerInvariant(message[0]) + message[1..].TrimEnd('.');
}
