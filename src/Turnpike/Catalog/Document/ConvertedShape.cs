using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Turnpike.Catalog.Document;

/// <summary>Another shape whose value is made into something else.</summary>
internal sealed class ConvertedShape<TFrom, T>(Shape<TFrom> from, Func<TFrom, T> convert) : Shape<T>
{
    public override string Says => from.Says;

    public override IEnumerable<Shape> Below => [from];

    public override bool TryRead(Spot at, [MaybeNullWhen(false)] out T value)
    {
        var read = from.TryRead(at, out var raw);
        value = read ? convert(raw!) : default;
        return read;
    }

    public override void WriteSchema(Utf8JsonWriter json) => from.WriteSchema(json);
}
