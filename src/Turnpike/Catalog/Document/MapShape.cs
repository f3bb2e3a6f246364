using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Turnpike.Catalog.Document;

/// <summary>
/// A map of named keys, made into a <typeparamref name="T"/> by <paramref name="build"/>, which gives null after refusing more itself.
/// A patient map is built also when a key was refused, so that what depends on the others is still checked.
/// </summary>
internal sealed class MapShape<T>(IReadOnlyList<Key> keys, Func<MapValues, T?> build, bool patient = false) : Shape<T>, IKeyed
    where T : class
{
    public override string Says => $"a map of {string.Join(", ", keys.Select(k => k.Name))}";

    public IReadOnlyList<Key> Keys => keys;

    public override IEnumerable<Shape> Below => keys.Select(k => k.Shape);

    public override bool TryRead(Spot at, [MaybeNullWhen(false)] out T value)
    {
        value = null;
        if (at.Node is not MapNode map) return at.Refuse($"{Says} is wanted here");
        var values = new MapValues(at);
        foreach (var entry in map.Entries)
        {
            if (keys.FirstOrDefault(k => k.Name == entry.Key.Text) is not { } key) values.Break(RefuseUnknown(at, entry));
            else values.Add(key, at.Member(key.Name, entry.Value) with { IsVersioned = at.IsVersioned || key.IsVersioned });
        }
        foreach (var key in keys)
            if (key.Required && !values.IsWritten(key)) values.Miss(key);
        if (values.AnyBroken && !patient) return false;
        value = build(values);
        if (value is not null) values.Remember(value);
        return value is not null;
    }

    private bool RefuseUnknown(Spot at, MapEntry entry)
    {
        var near = Nearest.Of(entry.Key.Text, keys.Select(k => k.Name));
        return at.Member(entry.Key.Text, entry.Key).Refuse(near is null
            ? $"unknown key; here are known: {string.Join(", ", keys.Select(k => k.Name))}"
            : $"unknown key; did you mean '{near}'?");
    }

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        foreach (var key in keys)
        {
            json.WriteStartObject(key.Name);
            json.WriteString("description", key.Default is null ? key.Doc : $"{key.Doc} Default: {key.Default}.");
            key.Shape.WriteSchema(json);
            SchemaWriter.WriteExample(json, key);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        if (keys.Any(k => k.Required))
        {
            json.WriteStartArray("required");
            foreach (var key in keys.Where(k => k.Required)) json.WriteStringValue(key.Name);
            json.WriteEndArray();
        }
        json.WriteBoolean("additionalProperties", false);
    }
}

/// <summary>A shape with named keys, whatever it is made into.</summary>
internal interface IKeyed
{
    IReadOnlyList<Key> Keys { get; }
}

/// <summary>The values of one map, while it is made into something.</summary>
internal sealed class MapValues(Spot at)
{
    private readonly Dictionary<Key, (Spot Spot, object? Value, bool Broken)> read = [];
    private bool broken;

    public Spot At => at;

    public bool AnyBroken => broken || read.Values.Any(v => v.Broken);

    public bool IsWritten(Key key) => read.ContainsKey(key);

    /// <summary>True when it was written and refused.</summary>
    public bool IsBroken(Key key) => read.TryGetValue(key, out var found) && found.Broken;

    public void Add(Key key, Spot spot) => read[key] = key.Shape.TryReadAny(spot, out var value) ? (spot, value, false) : (spot, null, true);

    public void Miss(Key key) => Break(at.Refuse($"'{key.Name}' is missing: {key.Doc}"));

    /// <summary>Something about the map itself was refused.</summary>
    public void Break(bool sound) => broken |= !sound;

    /// <summary>Where the key stands, or the map when it was not written.</summary>
    public Spot Of(Key key) => read.TryGetValue(key, out var found) ? found.Spot : at;

    /// <summary>The value read, or <paramref name="otherwise"/> when it was not written or refused.</summary>
    [return: NotNullIfNotNull(nameof(otherwise))]
    public T? Get<T>(Key<T> key, T? otherwise = default) => read.TryGetValue(key, out var found) && found.Value is T value ? value : otherwise;

    public object? GetAny(Key key) => read.TryGetValue(key, out var found) ? found.Value : null;

    public void Remember(object built)
    {
        at.Reading.Place(built, "", at);
        foreach (var (key, found) in read) at.Reading.Place(built, key.Name, found.Spot);
    }
}
