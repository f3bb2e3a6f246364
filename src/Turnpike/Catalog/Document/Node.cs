namespace Turnpike.Catalog.Document;

/// <summary>A piece of the YAML document with the place where it begins. Line and column count from 1.</summary>
internal abstract record Node(int Line, int Column)
{
    /// <summary>How many nodes this is when every alias below is written out: what bounds "billion laughs".</summary>
    public abstract long Size { get; }
}

/// <summary>Text as written; types come from the shape that reads it, never from YAML's guesses (<c>no</c>, <c>1e3</c>, <c>0x10</c>).</summary>
internal sealed record ScalarNode(int Line, int Column, string Text, bool Plain) : Node(Line, Column)
{
    public override long Size => 1;

    /// <summary><c>key:</c> with nothing behind it.</summary>
    public bool IsNothing => Plain && Text is ("" or "~" or "null");
}

/// <summary>A sequence.</summary>
internal sealed record ListNode(int Line, int Column, IReadOnlyList<Node> Items) : Node(Line, Column)
{
    public override long Size { get; } = 1 + Items.Sum(i => i.Size);
}

/// <summary>A mapping; its keys are scalars, in the order written, each once.</summary>
internal sealed record MapNode(int Line, int Column, IReadOnlyList<MapEntry> Entries) : Node(Line, Column)
{
    public override long Size { get; } = 1 + Entries.Sum(e => 1 + e.Value.Size);
}

/// <summary>One <c>key: value</c>.</summary>
internal sealed record MapEntry(ScalarNode Key, Node Value);
