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
    /// <summary>
    /// Targets from here on are paths of the document's own: numbers to add up, values to count, the lists these are in; and the
    /// outermost list a path goes through, and what is in that.
    /// </summary>
    public const int Added = 64, Counted = 4096, Listed = 8192, Opened = 12_288, Filled = 16_384;

    private readonly long[] values = Untold();
    private readonly long[] own = new long[custom];
    private readonly (bool Found, bool Opened, bool Filled)[] told = new (bool, bool, bool)[custom];
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

    /// <summary>The answer says it, or that there is nothing of it.</summary>
    public bool TellsOwn(int index) => told[index] is { Found: true } or { Opened: true, Filled: false };

    /// <summary>Before a new frame: what is asked of one frame alone.</summary>
    public void NextFrame() => values[(int)Field.Content] = values[(int)Field.Usage] = values[(int)Field.Typed] = -1;

    /// <summary>So much more text, and nothing else.</summary>
    public void Say(long bytes) => Text += bytes;

    public void Value(int target, JsonKind kind, ReadOnlySpan<byte> text, long length)
    {
        if (target >= Added) TakeOwn(target, kind, text);
        else Take((Field)target, kind, text, length);
    }

    private void TakeOwn(int target, JsonKind kind, ReadOnlySpan<byte> text)
    {
        if (target >= Filled) told[target - Filled].Filled = true;
        else if (target >= Opened) told[target - Opened].Opened |= kind == JsonKind.Array;
        else if (target >= Listed) told[target - Listed].Found |= kind == JsonKind.Array;
        else if (target >= Counted) own[target - Counted]++;
        else if (TryNumber(kind, text, out var number))
        {
            ref var sum = ref own[target - Added];
            (sum, told[target - Added].Found) = (long.MaxValue - sum < number ? long.MaxValue : sum + number, true);
        }
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
            case Field.Typed when kind == JsonKind.String:
                values[(int)field] = 1;
                break;
            case Field.End when !text.SequenceEqual("null"u8):
                values[(int)field] = 1;
                break;
            case < Field.Usage when TryNumber(kind, text, out var number):
                values[(int)field] = number;
                break;
        }
    }

    private static long[] Untold()
    {
        var values = new long[(int)Field.End + 1];
        Array.Fill(values, -1);
        return values;
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
