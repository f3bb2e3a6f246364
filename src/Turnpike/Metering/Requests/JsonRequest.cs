using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Turnpike.Metering.Formats;

namespace Turnpike.Metering.Requests;

/// <summary>
/// A JSON request as far as metering reads it, and the few changes metering makes to it: every other byte is forwarded as it came.
/// A member that is named twice, in any case, is refused: which of them counts would be decided differently behind us.
/// </summary>
internal sealed class JsonRequest
{
    private const int LongestWord = 1024, UsualNames = 11;

    private static readonly SearchValues<byte> Base64 = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"u8);

    /// <summary>Parts of a message that are or refer to a file, a page, a film, or an earlier message: as little as its address does a document's size tell how many pages it has.</summary>
    private static readonly byte[][] ReferenceTypes = UsageFormat.Names("file input_file document url item_reference video_url audio_url");

    private static readonly byte[][] PictureTypes = UsageFormat.Names("image input_image");

    /// <summary>How the types of those tools begin that the caller runs, whose answers come back in requests of their own.</summary>
    private static readonly string[] CallersTools = ["function", "custom", "computer", "bash", "text_editor", "memory", "local_shell", "apply_patch"];

    private readonly ReadOnlyMemory<byte> body;
    private readonly UsageFormat format;
    private readonly Dictionary<string, Span> found = new(UsualNames, StringComparer.Ordinal);

    /// <summary>It is sent to where pictures are made: their streams tell usage unasked, beside the last of them. Only the path says so: whatever a body says to pass for one, a text's stream is asked for its usage.</summary>
    private readonly bool isImage;

    private long pictures;

    private JsonRequest(ReadOnlyMemory<byte> body, UsageFormat format, string path)
    {
        (this.body, this.format, isImage) = (body, format, path.EndsWith("/images/generations", StringComparison.Ordinal) || path.EndsWith("/images/edits", StringComparison.Ordinal));
        TakesMaximum = !isImage && !path.EndsWith("/audio/speech", StringComparison.Ordinal);
    }

    /// <summary>The text at the path that names the model; null when there is none.</summary>
    public string? Model { get; private set; }

    /// <summary>A maximum in it means something. Where pictures and speech are made it is ignored, or refused: whoever wrote one would be held for a token and given a picture.</summary>
    public bool TakesMaximum { get; }

    /// <summary>The most output it asks for, each answer alone; null when it names no maximum.</summary>
    public long? Maximum { get; private set; }

    /// <summary>More answers nobody, and times itself and a body's size it is a number still: a product that wraps around would be held for nothing.</summary>
    private const long MostAsked = 1_000_000_000;

    /// <summary>How many answers it asks for at once.</summary>
    public long Multiple { get; private set; } = 1;

    public bool Streams { get; private set; }

    /// <summary>It is a conversation, and not one text to go on with.</summary>
    public bool IsChat => found.ContainsKey("messages");

    /// <summary>A stream of it tells usage only when asked to, in a chunk of its own.</summary>
    public bool MustAskForUsage => Streams && format.MustAskForUsage && !isImage;

    /// <summary>It wants to see the usage of a stream itself.</summary>
    public bool AsksForUsage { get; private set; }

    /// <summary>
    /// Nothing it says bounds what it costs. It goes on from something kept upstream, has or refers to a document, or has the upstream
    /// search, fetch or compute: what is read for it may be more than what it says, and its own size bounds nothing; or it takes no maximum.
    /// </summary>
    public bool IsUnbounded { get; private set; }

    /// <summary>It will be answered at another time, by another request: nothing of its usage passes here.</summary>
    public bool IsDeferred { get; private set; }

    /// <summary>The words by which it says how it wants to be served (<c>service_tier: priority</c>, <c>speed: fast</c>), in small letters.</summary>
    public IReadOnlyList<string> Tiers { get; private set; } = [];

    /// <summary>Those of them for which its provider charges more than for the model.</summary>
    public IReadOnlyList<string> DearTiers { get; private set; } = [];

    /// <summary>At least as many tokens as its text and pictures can become: a token is at least one byte.</summary>
    public long MostInput { get; private set; }

    /// <summary>The size of its text: what is long and base64 is an image or a file, and becomes far fewer tokens than it has bytes.</summary>
    public long TextBytes { get; private set; }

    /// <summary>Reads a body; null and a sentence when it cannot be relied on.</summary>
    /// <param name="path">Where it is sent to, without a query.</param>
    /// <param name="model">The path of names to the model, or null.</param>
    public static JsonRequest? Read(ReadOnlyMemory<byte> body, UsageFormat format, string path, IReadOnlyList<string>? model, out string wrong)
    {
        var request = new JsonRequest(body, format, path);
        wrong = "The body is no JSON object.";
        try
        {
            var json = new Utf8JsonReader(body.Span);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) return null;
            var twice = request.Walk(ref json, "", model);
            if (twice is null && json.Read()) return null;
            if (twice is not null) { wrong = $"The body names '{Shown(twice)}' twice."; return null; }
            if (request.Doubtful() is { } doubtful) { wrong = $"The body has '{Shown(doubtful)}', which not everybody reads alike."; return null; }
            request.Conclude(model);
            return request;
        }
        catch (JsonException) { return null; }
        catch (InvalidOperationException) { return null; } // a text that is no UTF-8, or half a surrogate pair
    }

    /// <summary>The body to forward. Every maximum above the given one is lowered to it, and one is written where there is none.</summary>
    public ReadOnlyMemory<byte> Write(long? maximum, bool askForUsage)
    {
        var edits = new List<(int At, int Length, string Text)>();
        if (maximum is { } most && format.Maximums.Count > 0) Limit(edits, most);
        if (askForUsage && MustAskForUsage && !AsksForUsage) AskForUsage(edits);
        if (edits.Count == 0) return body;
        edits.Sort((a, b) => a.At.CompareTo(b.At));
        var written = new ArrayBufferWriter<byte>(body.Length + 128);
        var from = 0;
        foreach (var (at, length, text) in edits)
        {
            written.Write(body.Span[from..at]);
            written.Write(Encoding.UTF8.GetBytes(text));
            from = at + length;
        }
        written.Write(body.Span[from..]);
        return written.WrittenMemory;
    }

    private void Limit(List<(int, int, string)> edits, long most)
    {
        var any = false;
        foreach (var path in format.Maximums)
        {
            if (!found.TryGetValue(Key(path), out var span)) continue;
            any = true;
            if (PositiveOf(span) is not { } asked || asked > most) edits.Add((span.Start, span.Length, $"{most}"));
        }
        if (any) return;
        var wanted = format.Maximums.FirstOrDefault(path => path.Length > 1 && found.ContainsKey(path[0])) ?? format.MaximumFor(Model, IsChat);
        Insert(edits, wanted, $"{most}");
    }

    private void AskForUsage(List<(int, int, string)> edits)
    {
        if (found.TryGetValue("stream_options/include_usage", out var asked)) edits.Add((asked.Start, asked.Length, "true"));
        else if (found.TryGetValue("stream_options", out var options) && body.Span[options.Start] != '{') edits.Add((options.Start, options.Length, """{"include_usage":true}"""));
        else Insert(edits, ["stream_options", "include_usage"], "true");
    }

    /// <summary>Writes a member at the front of its object, making the object when it is missing.</summary>
    private void Insert(List<(int, int, string)> edits, string[] path, string value)
    {
        if (path.Length == 2 && found.TryGetValue(path[0], out var inner) && body.Span[inner.Start] == '{')
        {
            edits.Add((inner.Start + 1, 0, $"\"{path[1]}\":{value}{(inner.IsEmpty ? "" : ",")}"));
            return;
        }
        var text = path.Length == 2 ? $"\"{path[0]}\":{{\"{path[1]}\":{value}}}" : $"\"{path[0]}\":{value}";
        if (path.Length == 2 && found.TryGetValue(path[0], out var other)) { edits.Add((other.Start, other.Length, $"{{\"{path[1]}\":{value}}}")); return; }
        var root = found[""];
        edits.Add((root.Start + 1, 0, text + (root.IsEmpty ? "" : ",")));
    }

    private void Conclude(IReadOnlyList<string>? model)
    {
        if (model is not null && found.TryGetValue(Key(model), out var named) && named.Kind == JsonTokenType.String) Model = TextOf(named);
        foreach (var path in TakesMaximum ? format.Maximums : [])
            if (found.TryGetValue(Key(path), out var span) && PositiveOf(span) is { } most) Maximum = Math.Max(Maximum ?? 0, Math.Min(most, MostAsked));
        foreach (var path in format.Multiples)
            if (found.TryGetValue(Key(path), out var span)) Multiple = Math.Max(Multiple, Math.Min(PositiveOf(span) ?? 1, MostAsked));
        if (format.Multiples.Count > 0 && found.TryGetValue("prompt", out var prompts)) Multiple = Math.Min(Multiple * TextsIn(prompts), MostAsked);
        // Anything but a plain no: a lenient server may take it for a yes.
        Streams = found.TryGetValue("stream", out var stream) && stream.Kind is not (JsonTokenType.False or JsonTokenType.Null);
        AsksForUsage = found.TryGetValue("stream_options/include_usage", out var asks) && asks.Kind == JsonTokenType.True;
        IsUnbounded |= !TakesMaximum || UsageFormat.Kept.Any(Present) || Present("prompt") && found["prompt"].Kind == JsonTokenType.StartObject;
        // The background of a picture is a colour, or none.
        IsDeferred = !isImage && found.TryGetValue("background", out var deferred) && deferred.Kind is not (JsonTokenType.False or JsonTokenType.Null);
        Tiers = [.. UsageFormat.TierMembers.Where(found.ContainsKey).SelectMany(member => WordsIn(found[member])).Distinct(StringComparer.Ordinal)];
        DearTiers = [.. Tiers.Except(UsageFormat.UsualTiers, StringComparer.Ordinal)];
        TextBytes = SizeOfText(body.Span);
        MostInput = body.Length + format.PerPicture * pictures;
    }

    /// <summary>
    /// A name in other letters than its own, which some servers read as that; or one beside another that stands for the same. Which of
    /// them counts would be decided behind us.
    /// </summary>
    private string? Doubtful()
    {
        HashSet<string>? same = null;
        foreach (var name in found.Keys)
        {
            if (!format.Known.TryGetValue(name, out var known)) continue;
            if (known.Name != name || known.Meaning is { } meaning && !(same ??= []).Add(meaning)) return name[(name.LastIndexOf('/') + 1)..];
        }
        return null;
    }

    /// <summary>Every text that a member is, or has within.</summary>
    private List<string> WordsIn(Span member)
    {
        var words = new List<string>();
        var json = new Utf8JsonReader(body.Span.Slice(member.Start, member.Length));
        while (json.Read())
            if (json.TokenType == JsonTokenType.String) words.Add(json.GetString()!.ToLowerInvariant());
        return words;
    }

    /// <summary>How many texts a list asks to be gone on with, each by itself: a list of numbers is the tokens of one.</summary>
    private long TextsIn(Span span)
    {
        if (span.Kind != JsonTokenType.StartArray) return 1;
        var json = new Utf8JsonReader(body.Span.Slice(span.Start, span.Length));
        long texts = 0;
        for (json.Read(); json.Read() && json.CurrentDepth > 0; json.Skip())
            if (json.TokenType is JsonTokenType.String or JsonTokenType.StartArray or JsonTokenType.StartObject) texts++;
        return Math.Max(1, texts);
    }

    private static long SizeOfText(ReadOnlySpan<byte> body)
    {
        long size = 0;
        for (var at = 0; at < body.Length;)
        {
            var end = body[at..].IndexOfAnyExcept(Base64);
            var run = end < 0 ? body.Length - at : end + 1;
            size += run < LongestWord ? run : 0;
            at += run;
        }
        return size;
    }

    private bool Present(string name) => found.TryGetValue(name, out var span) && span.Kind != JsonTokenType.Null;

    /// <summary>Reads the members of an object and of those within it that matter; gives a name that stands there twice.</summary>
    private string? Walk(ref Utf8JsonReader json, string prefix, IReadOnlyList<string>? model)
    {
        var start = (int)json.TokenStartIndex;
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString()!;
            if (!names.Add(name)) return name;
            json.Read();
            var key = prefix + name;
            var (at, kind) = ((int)json.TokenStartIndex, json.TokenType);
            if (kind == JsonTokenType.StartObject && Matters(key, model))
            {
                if (Walk(ref json, key + "/", model) is { } twice) return twice;
            }
            else
            {
                if (prefix.Length == 0 && UsageFormat.ToolMembers.Contains(name)) LookAtTools(ref json);
                else LookThrough(ref json);
                found[key] = new Span(at, (int)json.BytesConsumed - at, kind, false);
            }
        }
        found[prefix.TrimEnd('/')] = new Span(start, (int)json.BytesConsumed - start, JsonTokenType.StartObject, names.Count == 0);
        return null;
    }

    /// <summary>Passes a value, and on its way what stands in it for more than it says. Names count as they are read, however they are written.</summary>
    private void LookThrough(ref Utf8JsonReader json)
    {
        if (json.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray)) return;
        var depth = json.CurrentDepth;
        while (json.Read() && json.CurrentDepth > depth)
        {
            if (json.TokenType != JsonTokenType.PropertyName) continue;
            if (Is(json, format.Pictures)) pictures++;
            else if (Is(json, format.Fetching)) IsUnbounded = true;
            else if (json.ValueTextEquals("type"u8)) LookAtType(ref json);
            else if (json.ValueTextEquals("mimeType"u8) || json.ValueTextEquals("mime_type"u8)) LookAtMedia(ref json);
        }
    }

    private void LookAtType(ref Utf8JsonReader json)
    {
        if (!json.Read() || json.TokenType != JsonTokenType.String) return;
        if (Is(json, PictureTypes)) pictures++;
        else if (Is(json, ReferenceTypes)) IsUnbounded = true;
    }

    private void LookAtMedia(ref Utf8JsonReader json)
    {
        if (!json.Read() || json.TokenType != JsonTokenType.String || json.GetString() is not { } type) return;
        if (type.StartsWith("image/", StringComparison.OrdinalIgnoreCase)) pictures++;
        else if (!type.StartsWith("text/", StringComparison.OrdinalIgnoreCase)) IsUnbounded = true;
    }

    /// <summary>Passes the tools: one that the upstream runs itself reads what nobody has sent. What their schemas name says nothing.</summary>
    private void LookAtTools(ref Utf8JsonReader json)
    {
        if (json.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray)) return;
        var depth = json.CurrentDepth;
        while (json.Read() && json.CurrentDepth > depth)
        {
            if (json.TokenType != JsonTokenType.PropertyName) continue;
            if (json.CurrentDepth <= depth + 3 && Is(json, format.OwnTools)) IsUnbounded = true; // deeper are the callers' own schemas
            else if (json.CurrentDepth == depth + 2 && json.ValueTextEquals("type"u8) && json.Read() && json.TokenType == JsonTokenType.String)
                IsUnbounded |= json.GetString() is { } type && !CallersTools.Any(known => type.StartsWith(known, StringComparison.Ordinal));
        }
    }

    private static bool Is(in Utf8JsonReader json, byte[][] names)
    {
        foreach (var name in names)
            if (json.ValueTextEquals(name)) return true;
        return false;
    }

    private bool Matters(string key, IReadOnlyList<string>? model) =>
        key == "stream_options" || format.Maximums.Concat(format.Multiples).Any(p => p.Length > 1 && p[0] == key) || model is { Count: > 1 } && Key(model).StartsWith(key + "/", StringComparison.Ordinal);

    /// <summary>A number above zero, however it is written, told as one or as its text, rounded up; null for anything else.</summary>
    private long? PositiveOf(Span span)
    {
        if (span.Kind is not (JsonTokenType.Number or JsonTokenType.String)) return null;
        var text = span.Kind == JsonTokenType.String ? TextOf(span) : Encoding.UTF8.GetString(body.Span.Slice(span.Start, span.Length));
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !(number > 0)) return null;
        return number >= MostAsked ? MostAsked : (long)Math.Ceiling(number);
    }

    private string TextOf(Span span)
    {
        var json = new Utf8JsonReader(body.Span.Slice(span.Start, span.Length));
        json.Read();
        return json.GetString()!;
    }

    private static string Key(IReadOnlyList<string> path) => path.Count == 1 ? path[0] : string.Join('/', path);

    private static string Shown(string name) => name.Length <= 40 && name.All(c => !char.IsControl(c)) ? name : "a member";

    /// <summary>Where a value stands.</summary>
    private readonly record struct Span(int Start, int Length, JsonTokenType Kind, bool IsEmpty);
}
