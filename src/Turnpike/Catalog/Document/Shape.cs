using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Turnpike.Catalog.Document;

/// <summary>What may stand at one place of the document. Validation, JSON Schema and docs/configure.md all come from the tree of these.</summary>
internal abstract class Shape
{
    /// <summary>What is wanted, with its article: "a duration such as 30s".</summary>
    public abstract string Says { get; }

    /// <summary>The shapes one step below.</summary>
    public virtual IEnumerable<Shape> Below => [];

    /// <summary>What a path gains on the way below: <c>.&lt;service&gt;</c> or <c>[]</c>; a key's own name comes with the key.</summary>
    public virtual string Step => "";

    /// <summary>Writes the members of this shape's JSON Schema into an object that is open.</summary>
    public abstract void WriteSchema(Utf8JsonWriter json);

    /// <summary>Reads without knowing the type; false when something was refused.</summary>
    public abstract bool TryReadAny(Spot at, out object? value);
}

/// <summary>A shape that reads a <typeparamref name="T"/>.</summary>
internal abstract class Shape<T> : Shape
{
    /// <summary>False when something was refused; the errors are in the reading.</summary>
    public abstract bool TryRead(Spot at, [MaybeNullWhen(false)] out T value);

    public override bool TryReadAny(Spot at, out object? value)
    {
        var read = TryRead(at, out var typed);
        value = typed;
        return read;
    }
}

/// <summary>One named place in a map.</summary>
internal abstract class Key(string name, string doc)
{
    public string Name { get; } = name;

    /// <summary>One line: what it does.</summary>
    public string Doc { get; } = doc;

    public bool Required { get; init; }

    /// <summary>What holds when it is left out, in words or as written.</summary>
    public string? Default { get; init; }

    /// <summary>YAML as a user would write it after the colon.</summary>
    public required string Example { get; init; }

    /// <summary>What its references stand for is of the document's version: with another value it means another price, though the text is the same.</summary>
    public bool IsVersioned { get; init; }

    public abstract Shape Shape { get; }

    /// <summary>The same key where it may be left out.</summary>
    /// <param name="otherwise">What then holds.</param>
    public abstract Key Optional(string otherwise);
}

/// <summary>A key whose value is a <typeparamref name="T"/>.</summary>
internal sealed class Key<T>(string name, Shape<T> shape, string doc) : Key(name, doc)
{
    public override Shape Shape => shape;

    public override Key Optional(string otherwise) => Required ? new Key<T>(Name, shape, Doc) { Default = otherwise, Example = Example, IsVersioned = IsVersioned } : this;
}
