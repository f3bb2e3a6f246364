namespace Turnpike.Catalog.Document;

/// <summary>One reading of a document: what is wrong so far, and where everything that was read stood.</summary>
internal sealed class Reading(ConfigEnvironment environment)
{
    private readonly Dictionary<object, Dictionary<string, Spot>> places = new(ReferenceEqualityComparer.Instance);

    public ConfigEnvironment Environment { get; } = environment;

    public List<ConfigError> Errors { get; } = [];

    public List<ConfigError> Warnings { get; } = [];

    /// <summary>What the references below keys that are <see cref="Key.IsVersioned"/> stand for, by where they stand.</summary>
    public SortedDictionary<string, string> Versioned { get; } = new(StringComparer.Ordinal);

    /// <summary>Remembers where a key of <paramref name="owner"/> stood; the empty key is the owner itself.</summary>
    public void Place(object owner, string key, Spot spot)
    {
        if (!places.TryGetValue(owner, out var keys)) places[owner] = keys = new(StringComparer.Ordinal);
        keys[key] = spot;
    }

    /// <summary>What was said of <paramref name="from"/> holds for <paramref name="to"/>, a copy of it.</summary>
    public void Copy(object from, object to) => places[to] = places[from];

    /// <summary>Where that key stood, or the owner when the key was not written.</summary>
    public Spot PlaceOf(object owner, string key) => places[owner].TryGetValue(key, out var spot) ? spot : places[owner][""];

    /// <summary>A value as an error may show it: short, on one line.</summary>
    public static string Shown(string value)
    {
        var clean = string.Concat(value.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '·' : c));
        return clean.Length <= 80 ? clean : clean[..80] + "…";
    }
}

/// <summary>A node with its path, being read.</summary>
internal readonly record struct Spot(Node Node, string Path, Reading Reading)
{
    /// <summary>The last part of the path.</summary>
    public string Name { get; init; } = "";

    /// <summary>It stands below a key that is <see cref="Key.IsVersioned"/>.</summary>
    public bool IsVersioned { get; init; }

    public Spot Member(string name, Node node) => new(node, Path.Length == 0 ? Quoted(name) : $"{Path}.{Quoted(name)}", Reading) { Name = name, IsVersioned = IsVersioned };

    public Spot Item(int index, Node node) => new(node, $"{Path}[{index}]", Reading) { Name = Name, IsVersioned = IsVersioned };

    /// <summary>Notes an error here; always false, for <c>return spot.Refuse(…)</c>.</summary>
    public bool Refuse(string message)
    {
        Reading.Errors.Add(new ConfigError(Node.Line, Node.Column, Path, message));
        return false;
    }

    public void Warn(string message) => Reading.Warnings.Add(new ConfigError(Node.Line, Node.Column, Path, message));

    /// <summary>The scalar here with its references looked up; anything else, and nothing at all, is refused in words of <paramref name="wanted"/>.</summary>
    public bool TryText(string wanted, out Resolved text)
    {
        text = default;
        if (Node is not ScalarNode scalar) return Refuse($"{wanted} is wanted here, not a {(Node is MapNode ? "map" : "list")}");
        if (scalar.IsNothing) return Refuse($"nothing is written here; {wanted} is wanted");
        return References.TryResolve(scalar.Text, Reading.Environment, out text, out var problem) || Refuse(problem);
    }

    private static string Quoted(string name)
    {
        name = Document.Reading.Shown(name);
        return name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '*') ? name : $"\"{name}\"";
    }
}
