using System.Buffers.Text;
using System.Text;
using Turnpike.Metering.Reading;

namespace Turnpike.Metering.Formats;

/// <summary>
/// The fields of usage as a provider told them, last word first: a value that is present replaces the one before, and an absent one
/// changes nothing. Providers send snapshots, not increments; adding them up would count twice.
/// </summary>
internal sealed class FieldValues(int custom = 0) : IJsonSink
{
    /// <summary>Targets from here on are paths of the document's own: numbers to add up, and from the second on, values to count.</summary>
    public const int Added = 64, Counted = 4096;

    private readonly long[] values = [.. Enumerable.Repeat(-1L, (int)Field.End + 1)];
    private readonly long[] own = new long[custom];
    private string? model, id;
    private Field kinds;
    private Field? kind;
    private long kindCount;

    /// <summary>A field's value; zero when it was never told.</summary>
    public long this[Field field] => Math.Max(0, values[(int)field]);

    /// <summary>Bytes of text for the caller.</summary>
    public long Text { get; private set; }

    public string? Model => model;

    /// <summary>What the answer calls itself.</summary>
    public string? Id => id;

    public bool Has(Field field) => values[(int)field] >= 0;

    public long Own(int index) => own[index];

    /// <summary>Before a new frame: what is asked of one frame alone.</summary>
    public void NextFrame() => values[(int)Field.Content] = values[(int)Field.Usage] = -1;

    /// <summary>So much more text, and nothing else.</summary>
    public void Say(long bytes) => Text += bytes;

    public void Value(int target, JsonKind kind, ReadOnlySpan<byte> text, long length)
    {
        if (target >= Counted) own[target - Counted]++;
        else if (target >= Added) Add(ref own[target - Added], kind, text);
        else Take((Field)target, kind, text, length);
    }

    private void Take(Field field, JsonKind kind, ReadOnlySpan<byte> text, long length)
    {
        switch (field)
        {
            case Field.Text when kind == JsonKind.String:
                Text += length;
                break;
            case Field.Model when kind == JsonKind.String && length > 0:
                if (model is null || length != text.Length || !Same(text, model)) model = Encoding.UTF8.GetString(text);
                break;
            case Field.Id when kind == JsonKind.String && id is null:
                id = Encoding.UTF8.GetString(text);
                break;
            case Field.InputKinds or Field.CachedKinds or Field.OutputKinds when kind == JsonKind.Object:
                (kinds, this.kind, kindCount) = (field, null, -1);
                break;
            case Field.Kind when kind == JsonKind.String:
                this.kind = KindOf(text);
                Split();
                break;
            case Field.KindCount when TryNumber(kind, text, out var count):
                kindCount = count;
                Split();
                break;
            case Field.Content or Field.Usage when kind == JsonKind.Object:
                values[(int)field] = 1;
                break;
            case Field.End:
                values[(int)field] = 1;
                break;
            case < Field.Usage when TryNumber(kind, text, out var number):
                values[(int)field] = number;
                break;
        }
    }

    private Field? KindOf(ReadOnlySpan<byte> text) => kinds switch
    {
        Field.InputKinds => text.SequenceEqual("AUDIO"u8) ? Field.AudioInput : text.SequenceEqual("IMAGE"u8) ? Field.ImageInput : null,
        Field.CachedKinds => text.SequenceEqual("AUDIO"u8) ? Field.CachedAudio : text.SequenceEqual("IMAGE"u8) ? Field.CachedImage : null,
        _ => text.SequenceEqual("AUDIO"u8) ? Field.AudioOutput : text.SequenceEqual("IMAGE"u8) ? Field.ImageOutput : null,
    };

    private void Split()
    {
        if (kind is { } known && kindCount >= 0) values[(int)known] = kindCount;
    }

    private static void Add(ref long sum, JsonKind kind, ReadOnlySpan<byte> text)
    {
        if (TryNumber(kind, text, out var number)) sum = long.MaxValue - sum < number ? long.MaxValue : sum + number;
    }

    /// <summary>A number, or a string that is one (OpenMeter's events have such), not negative, fractions rounded up.</summary>
    private static bool TryNumber(JsonKind kind, ReadOnlySpan<byte> text, out long number)
    {
        number = 0;
        if (kind is not (JsonKind.Number or JsonKind.String)) return false;
        if (!Utf8Parser.TryParse(text, out decimal value, out var read, 'E') && !Utf8Parser.TryParse(text, out value, out read) || read != text.Length) return false;
        if (value is < 0 or > long.MaxValue) return false;
        number = (long)decimal.Ceiling(value);
        return true;
    }

    private static bool Same(ReadOnlySpan<byte> utf8, string known)
    {
        if (utf8.Length != known.Length) return false;
        for (var i = 0; i < utf8.Length; i++)
            if (utf8[i] != known[i]) return false;
        return true;
    }
}
