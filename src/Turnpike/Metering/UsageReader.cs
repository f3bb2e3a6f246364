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
    private bool fresh = true;

    public UsageReader(MeteredCall call, string? contentType)
    {
        this.call = call;
        format = call.Settings.Format;
        Told = new FieldValues(call.Settings.Measures.Count);
        framing = format.FramingFor(contentType);
        scanner = new JsonScanner(call.Settings.Paths, Told) { StopAt = framing is Framing.Elements ? 1 : -1 };
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

    /// <summary>The provider's own words for the end of a stream that reached its maximum.</summary>
    public ReadOnlyMemory<byte> Ending() => format.Ending(Told, call, framing);

    private Counts Observed => call.Usage.Observed;

    /// <summary>Reads up to the end of a frame at most, and tells how far. Usage is up to date afterwards.</summary>
    public int Read(ReadOnlySpan<byte> bytes, out bool frameEnded)
    {
        if (fresh) Told.NextFrame();
        var read = framing.Read(bytes, scanner, out frameEnded);
        fresh = frameEnded;
        Observed.Add(Units.Bytes, read);
        if (Told.Text > 0) Observed[Units.Output] = UsageFormat.Guess(Told.Text);
        return read;
    }

    /// <summary>Brings what was told so far into units: after a frame, and at the end.</summary>
    public void Tell()
    {
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
            case Measure.Path: usage.Reported[measure.Unit] = Told.Own(index); break;
            case Measure.Header named: usage.Reported[measure.Unit] = NumberOf(header(named.Name)); break;
            case Measure.Time time: usage.Observed[measure.Unit] = (took.Ticks + time.Each.Ticks - 1) / time.Each.Ticks; break;
            case Measure.Size size: usage.Observed[measure.Unit] = size.OfRequest ? call.RequestBytes : Observed[Units.Bytes]; break;
            case Measure.Constant constant: usage.Observed[measure.Unit] = constant.Count; break;
        }
    }

    private bool AnythingTold()
    {
        for (var field = Field.Input; field <= Field.Seconds; field++)
            if (Told.Has(field)) return true;
        return false;
    }

    private static long NumberOf(string? text) =>
        decimal.TryParse(text, System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var number) && number < long.MaxValue ? (long)decimal.Ceiling(number) : 0;
}
