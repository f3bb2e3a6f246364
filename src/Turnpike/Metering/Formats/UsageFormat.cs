using System.Collections.Frozen;
using Turnpike.Metering.Reading;

namespace Turnpike.Metering.Formats;

/// <summary>How one kind of upstream tells usage, takes a maximum, and ends a stream. Immutable; one for every name.</summary>
internal abstract class UsageFormat
{
    /// <summary>Members that stand for what is kept or fetched upstream, or for output beyond any maximum: what a prediction says and the answer does not is charged as well.</summary>
    public static readonly string[] Kept = ["prediction", "previous_response_id", "conversation", "cachedContent", "cached_content", "container", "mcp_servers", "web_search_options"];

    public static readonly string[] ToolMembers = ["tools", "toolConfig", "functions"];

    /// <summary>Members that say how fast a request is to be served, at other rates than the model's: of OpenAI and Anthropic, Bedrock (two), and Anthropic again.</summary>
    public static readonly string[] TierMembers = ["service_tier", "serviceTier", "performanceConfig", "speed", "inference_geo"];

    /// <summary>What these say where the model's own rates are charged, or less.</summary>
    public static readonly string[] UsualTiers = ["auto", "default", "standard", "standard_only", "on_demand", "flex", "global"];

    private static readonly string[] Everywhere = [.. Kept, .. ToolMembers, .. TierMembers, "stream", "stream_options", "stream_options/include_usage", "background", "prompt"];

    protected UsageFormat() => known = new(KnownNames);

    private readonly Lazy<FrozenDictionary<string, (string Name, string? Meaning)>> known;

    /// <summary>
    /// The names in requests that change what is held for, found in any letters: as they are written, and, where one may be written with
    /// underscores or without, what they stand for.
    /// </summary>
    public FrozenDictionary<string, (string Name, string? Meaning)> Known => known.Value;

    /// <summary>The name <c>usage:</c> has for it.</summary>
    public abstract string Name { get; }

    /// <summary>True for a unit that its answers may tell; a price for another would never be charged.</summary>
    public virtual bool Tells(string unit) => unit is Units.Total or Units.Reasoning || Units.IsToken(unit);

    /// <summary>Where its answers tell what, by <see cref="Field"/>.</summary>
    public abstract PathNode NewPaths();

    /// <summary>Where a request may say how much it wants back, each a path of names; the first is written when none is there.</summary>
    public virtual IReadOnlyList<string[]> Maximums => [];

    /// <summary>Where a request may ask for several answers at once.</summary>
    public virtual IReadOnlyList<string[]> Multiples => [];

    /// <summary>Names in a message of what may be more than its size: a document, or the address of one.</summary>
    public virtual byte[][] Fetching => [];

    /// <summary>Names of the tools that the upstream runs itself, where tools are told apart by their name and not by a type.</summary>
    public virtual byte[][] OwnTools => [];

    /// <summary>Names in a message of a picture, beside those that are told by a type.</summary>
    public virtual byte[][] Pictures => [];

    /// <summary>What a picture may cost at most, in tokens: its size says little about that, and its address nothing.</summary>
    public virtual long PerPicture => 5_000;

    /// <summary>True when a stream tells usage only to those who ask (<c>stream_options.include_usage</c>).</summary>
    public virtual bool MustAskForUsage => false;

    /// <summary>Brings what was told to our units, each counted once.</summary>
    public abstract void Tell(FieldValues told, Counts into);

    /// <summary>True when nothing more will be said of usage.</summary>
    public virtual bool IsComplete(FieldValues told) => told.Has(Field.Output) || told.Has(Field.Total);

    /// <summary>The frame just read is the one a caller gets only on asking.</summary>
    public virtual bool IsOnlyUsage(FieldValues told) => false;

    /// <summary>What ends a stream that must not go on, as this provider would end one at its maximum.</summary>
    public virtual ReadOnlyMemory<byte> Ending(FieldValues told, MeteredCall call, Framing framing) => default;

    /// <summary>What is sent to this path will be answered at another time.</summary>
    public virtual bool IsDeferred(string path) => false;

    /// <summary>The model that a part of a path names.</summary>
    public virtual string ModelIn(string segment) => segment;

    public virtual Framing FramingFor(string? contentType) =>
        contentType is not null && contentType.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) ? new EventFraming()
        : contentType is not null && contentType.StartsWith("application/vnd.amazon.eventstream", StringComparison.OrdinalIgnoreCase) ? new BinaryFraming()
        : new Framing.Whole();

    /// <summary>The name written when the caller names no maximum.</summary>
    public virtual string[] MaximumFor(string? model, bool isChat) => Maximums[0];

    /// <summary>Tokens of a text of unknown language, as a guess: four bytes each. Only used where the upstream says nothing.</summary>
    public static long Guess(long bytes) => (bytes + 3) / 4;

    /// <summary>Fewer tokens than a text of that size hardly has: for what must not be cut too early.</summary>
    public static long AtLeast(long bytes) => bytes / 6;

    /// <summary>Names as they stand in JSON.</summary>
    public static byte[][] Names(string names) => [.. names.Split(' ').Select(System.Text.Encoding.UTF8.GetBytes)];

    private FrozenDictionary<string, (string, string?)> KnownNames()
    {
        var paths = Maximums.Concat(Multiples).ToList();
        var names = paths.Where(path => path.Length > 1).Select(path => path[0]).Concat(paths.Select(path => string.Join('/', path))).Distinct().ToList();
        var meanings = names.ToLookup(Bare, StringComparer.OrdinalIgnoreCase);
        return names.Concat(Everywhere).Distinct().ToFrozenDictionary(name => name, name => (name, meanings[Bare(name)].Skip(1).Any() ? Bare(name).ToUpperInvariant() : null), StringComparer.OrdinalIgnoreCase)!;
    }

    private static string Bare(string name) => name.Replace("_", "", StringComparison.Ordinal);

    protected static long AtLeastZero(long count) => Math.Max(0, count);
}
