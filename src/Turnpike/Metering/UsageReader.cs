using Turnpike.Metering.Formats;
using Turnpike.Metering.Reading;

namespace Turnpike.Metering;

/// <summary>Reads one answer's usage as its bytes pass. Never holds a byte back; who wants whole frames asks for them.</summary>
internal sealed class UsageReader
{
    private readonly MeteredCall call;
    private readonly UsageFormat format;
    private readonly Framing framing;
    private readonly JsonScanner scanner;
    private readonly AlikeFrame? alike;
    private bool fresh = true;
    private long passed;

    public UsageReader(MeteredCall call, string? contentType)
    {
        this.call = call;
        format = call.Settings.Format;
        Told = new FieldValues(call.Settings.Measures.Count);
        framing = format.FramingFor(contentType);
        // What the document's own paths find is added up, frame by frame: then every frame is read.
        if (framing is EventFraming && !call.Settings.Measures.Any(m => m is Measure.Path)) alike = new AlikeFrame();
        scanner = new JsonScanner(call.Settings.Paths, Told) { StopAt = framing is Framing.Elements ? 1 : -1, Measured = (int)Field.Text, Strings = alike is null ? null : [] };
        if (call.Request is { } request) Observed[Units.Input] = UsageFormat.Guess(request.TextBytes);
        Observed[Units.RequestBytes] = call.RequestBytes;
    }

    /// <summary>What the upstream said, in its own words.</summary>
    public FieldValues Told { get; }

    /// <summary>It comes in frames, so that it can be cut between two of them.</summary>
    public bool HasFrames => framing is not Framing.Whole;

    /// <summary>It may be one text that is there at once: then it is no stream, whatever it can be cut into.</summary>
    public bool MayBeWhole => framing is Framing.Whole or Framing.Elements;

    public UsageFormat Format => format;

    /// <summary>The frame just read told nothing that the one before it had not told, but more text.</summary>
    public bool IsAlike { get; private set; }

    /// <summary>The provider's own words for the end of a stream that reached its maximum.</summary>
    public ReadOnlyMemory<byte> Ending() => format.Ending(Told, call, framing);

    private Counts Observed => call.Usage.Observed;

    /// <summary>Reads up to the end of a frame at most, and tells how far. Usage is up to date after <see cref="Tell"/>.</summary>
    /// <param name="mayWait">A frame that is not whole yet may be shown again with more of it: then nothing of it is read, and zero told.</param>
    public int Read(ReadOnlySpan<byte> bytes, out bool frameEnded, bool mayWait = false)
    {
        var more = 0L;
        var length = fresh && alike is not null ? alike.Match(bytes, out more) : 0;
        if (length > 0)
        {
            Told.Say(more);
            passed += length;
            frameEnded = IsAlike = true;
            return length;
        }
        frameEnded = false;
        return length < 0 && mayWait ? 0 : ReadOn(bytes, out frameEnded);
    }

    /// <summary>Reads as many whole frames as are alike the one before them, while together they tell no more than <paramref name="most"/> bytes of text; tells how far.</summary>
    public int ReadAlike(ReadOnlySpan<byte> bytes, long most)
    {
        if (!fresh || alike is null) return 0;
        var at = alike.MatchAll(bytes, most - Told.Text, out var text);
        if (at > 0) IsAlike = true;
        Told.Say(text);
        passed += at;
        return at;
    }

    private int ReadOn(ReadOnlySpan<byte> bytes, out bool frameEnded)
    {
        if (fresh) Told.NextFrame();
        var (whole, before) = (fresh, Told.Text);
        scanner.Strings?.Clear();
        var read = framing.Read(bytes, scanner, out frameEnded);
        (fresh, IsAlike) = (frameEnded, false);
        if (whole && frameEnded) alike?.Keep(bytes[..read], ((EventFraming)framing).JsonAt, scanner.Strings!, Told.Text - before);
        else alike?.Forget();
        passed += read;
        return read;
    }

    /// <summary>Brings what was told so far into units: after a frame, and at the end.</summary>
    public void Tell()
    {
        Observed[Units.Bytes] = passed;
        if (Told.Text > 0) Observed[Units.Output] = UsageFormat.Guess(Told.Text);
        if (Told.Model is { } model) call.Usage.Model = model;
        if (format is NoFormat || !AnythingTold()) return;
        format.Tell(Told, call.Usage.Reported);
    }

    /// <summary>The answer has ended, well or not.</summary>
    public void End(TimeSpan took, Func<string, string?> header)
    {
        scanner.Reset();
        Tell();
        var usage = call.Usage;
        usage.IsComplete = format.IsComplete(Told);
        Observed[Units.Duration] = (long)Math.Ceiling(took.TotalMilliseconds);
        for (var i = 0; i < call.Settings.Measures.Count; i++) Take(call.Settings.Measures[i], i, took, header);
        usage.HasEnded = true;
    }

    private void Take(Measure measure, int index, TimeSpan took, Func<string, string?> header)
    {
        var usage = call.Usage;
        switch (measure)
        {
            case Measure.Path when Told.TellsOwn(index): usage.Reported[measure.Unit] = Told.Own(index); break;
            case Measure.Header named when NumberOf(header(named.Name)) is { } number: usage.Reported[measure.Unit] = number; break;
            case Measure.Time time: usage.Observed[measure.Unit] = (took.Ticks + time.Each.Ticks - 1) / time.Each.Ticks; break;
            case Measure.Size size: usage.Observed[measure.Unit] = size.OfRequest ? call.RequestBytes : Observed[Units.Bytes]; break;
            case Measure.Constant constant: usage.Observed[measure.Unit] = constant.Count; break;
            default: usage.Miss(measure); break;
        }
    }

    private bool AnythingTold()
    {
        for (var field = Field.Input; field <= Field.Seconds; field++)
            if (Told.Has(field)) return true;
        return false;
    }

    private static long? NumberOf(string? text) =>
        decimal.TryParse(text, System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var number) && number < long.MaxValue ? (long)decimal.Ceiling(number) : null;
}
