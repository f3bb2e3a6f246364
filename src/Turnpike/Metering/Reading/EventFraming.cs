namespace Turnpike.Metering.Reading;

/// <summary>
/// Server-sent events (HTML standard, 9.2.6): lines end by LF, CR or both, a line without content ends an event, several data lines are
/// one text, comments and unknown fields say nothing.
/// </summary>
internal sealed class EventFraming : Framing
{
    private const int First = -2; // a frame's first line of data is about to begin

    private readonly byte[] name = new byte[8];
    private int nameLength;
    private State state;
    private bool afterReturn, hasData, inData, began;

    /// <summary>Where the JSON of a frame that was read in one piece began in it; below zero when it had none, or more than one line of it.</summary>
    public int JsonAt { get; private set; } = -1;

    private enum State
    {
        LineStart,
        Name,
        ValueStart,
        Value,
    }

    public override int Read(ReadOnlySpan<byte> bytes, JsonScanner into, out bool ended)
    {
        ended = false;
        if (!hasData) JsonAt = -1;
        for (var at = 0; at < bytes.Length;)
        {
            var b = bytes[at];
            if (afterReturn && b == '\n') { at++; afterReturn = false; continue; }
            afterReturn = false;
            if (b is (byte)'\n' or (byte)'\r')
            {
                at++;
                afterReturn = b == '\r';
                if (!EndLine(into)) continue;
                // The LF of a CR LF belongs to this event if it is here already.
                if (afterReturn && at < bytes.Length && bytes[at] == '\n') (at, afterReturn) = (at + 1, false);
                ended = true;
                return at;
            }
            if (state == State.Value && inData && JsonAt == First) JsonAt = at;
            at += ReadLine(bytes[at..], into);
        }
        return bytes.Length;
    }

    private int ReadLine(ReadOnlySpan<byte> bytes, JsonScanner into)
    {
        switch (state)
        {
            case State.LineStart or State.Name:
                Name(bytes[0]);
                return 1;
            case State.ValueStart:
                BeginValue(into);
                return bytes[0] == ' ' ? 1 : 0;
            default:
                var end = bytes.IndexOfAny((byte)'\n', (byte)'\r');
                var run = end < 0 ? bytes : bytes[..end];
                if (inData) into.Read(run);
                return run.Length;
        }
    }

    private void Name(byte b)
    {
        if (state == State.LineStart) nameLength = 0;
        state = b == ':' ? State.ValueStart : State.Name;
        // A byte order mark may precede the first name.
        if (b == ':' || !began && b is 0xEF or 0xBB or 0xBF) return;
        began = true;
        // Too long to be one we know: kept different from all of them.
        if (nameLength < name.Length) name[nameLength++] = b;
    }

    private void BeginValue(JsonScanner into)
    {
        state = State.Value;
        inData = name.AsSpan(0, nameLength).SequenceEqual("data"u8);
        if (!inData) return;
        JsonAt = hasData ? -1 : First;
        if (hasData) into.Read("\n"u8);
        hasData = true;
    }

    /// <summary>True when the line was empty and so ended an event.</summary>
    private bool EndLine(JsonScanner into)
    {
        var empty = state == State.LineStart;
        (state, inData) = (State.LineStart, false);
        if (!empty) return false;
        if (hasData) into.Reset();
        hasData = false;
        return true;
    }
}
