namespace Turnpike.Metering.Reading;

/// <summary>
/// Finds a few values in JSON as it passes, split at any byte: keeps the path it is on and the value it is in, nothing else, and
/// allocates nothing. Texts may follow each other; what is no JSON is ignored until <see cref="Reset"/>.
/// </summary>
internal sealed class JsonScanner
{
    private const int UsualDepth = 12, MostDepth = 64, MostKept = 256;

    private (PathNode? Node, bool IsArray, int Index)[] frames = new (PathNode?, bool, int)[UsualDepth];
    private readonly byte[] kept = new byte[MostKept];
    private readonly PathNode root;
    private readonly IJsonSink sink;
    private int depth, keptLength, unicode, digits;
    private long length;
    private State state;
    private PathNode? next;
    private bool isKey, isEscaped, hadEscape;
    private int read, begun; // of this text: bytes so far, where its string began

    public JsonScanner(PathNode root, IJsonSink sink) => (this.root, this.sink, next) = (root, sink, root);

    private enum State
    {
        Value,
        ValueOrEnd,
        Key,
        KeyOrEnd,
        Colon,
        After,
        String,
        Scalar,
        Broken,
    }

    /// <summary>Reading stops behind an object that ends at this depth; below zero: never.</summary>
    public int StopAt { get; init; } = -1;

    /// <summary>A target of which the length alone counts.</summary>
    public int Measured { get; init; } = -1;

    /// <summary>Where set: the strings of the text since <see cref="Reset"/> that nobody asks for, or that are only measured.</summary>
    public List<ScannedString>? Strings { get; init; }

    /// <summary>Reads on and tells how far: everything, or up to where it stopped.</summary>
    public int Read(ReadOnlySpan<byte> bytes, out bool stopped)
    {
        stopped = false;
        var at = 0;
        for (var since = read; at < bytes.Length && !stopped; read = since + at)
        {
            switch (state)
            {
                case State.Broken: at = bytes.Length; break;
                case State.String: at += ReadString(bytes[at..]); break;
                case State.Scalar when IsScalar(bytes[at]): Keep(bytes[at++]); break;
                case State.Scalar: EndScalar(); break;
                default: stopped = Structure(bytes[at++]); break;
            }
        }
        return at;
    }

    public void Read(ReadOnlySpan<byte> bytes) => Read(bytes, out _);

    /// <summary>The text has ended: a number at its end is one. Ready for the next.</summary>
    public void Reset()
    {
        if (state == State.Scalar) EndScalar();
        (depth, state, next, read) = (0, State.Value, root, 0);
    }

    /// <summary>One byte between values; true when an object ended at <see cref="StopAt"/>.</summary>
    private bool Structure(byte b)
    {
        if (b is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') return false;
        switch (state)
        {
            case State.ValueOrEnd when b == ']': return Leave(isArray: true);
            case State.KeyOrEnd when b == '}': return Leave(isArray: false);
            case State.Key or State.KeyOrEnd when b == '"': BeginString(key: true); return false;
            case State.Colon when b == ':': state = State.Value; return false;
            case State.After when b == ',': Comma(); return false;
            case State.After when b is (byte)']' or (byte)'}': return Leave(b == ']');
            case State.Value or State.ValueOrEnd: BeginValue(b); return false;
            default: state = State.Broken; return false;
        }
    }

    private void BeginValue(byte b)
    {
        if (b == '"') BeginString(key: false);
        else if (b is (byte)'{' or (byte)'[') Enter(b == '[');
        else if (IsScalar(b))
        {
            (keptLength, state) = (0, State.Scalar);
            Keep(b);
        }
        // A byte order mark at the very beginning says nothing.
        else if (depth > 0 || b is not (0xEF or 0xBB or 0xBF)) state = State.Broken;
    }

    private void Enter(bool isArray)
    {
        if (depth == MostDepth) { state = State.Broken; return; }
        if (depth == frames.Length) Array.Resize(ref frames, MostDepth);
        if (next is not null) Tell(isArray ? JsonKind.Array : JsonKind.Object, default, 0);
        frames[depth++] = (next, isArray, 0);
        next = isArray ? next?.Element(0) : null;
        state = isArray ? State.ValueOrEnd : State.KeyOrEnd;
    }

    private bool Leave(bool isArray)
    {
        if (depth == 0 || frames[depth - 1].IsArray != isArray) { state = State.Broken; return false; }
        depth--;
        EndValue();
        return depth == StopAt && !isArray;
    }

    private void EndValue()
    {
        state = depth == 0 ? State.Value : State.After;
        if (depth == 0) next = root;
    }

    private void Comma()
    {
        ref var frame = ref frames[depth - 1];
        if (frame.IsArray) (next, state) = (frame.Node?.Element(++frame.Index), State.Value);
        else state = State.Key;
    }

    private void BeginString(bool key)
    {
        (isKey, isEscaped, hadEscape, digits, keptLength, length, state, begun) = (key, false, false, 0, 0, 0, State.String, read + 1);
    }

    private int ReadString(ReadOnlySpan<byte> bytes)
    {
        if (isEscaped || digits > 0)
        {
            Escaped(bytes[0]);
            return 1;
        }
        var plain = bytes.IndexOfAny((byte)'"', (byte)'\\');
        var run = plain < 0 ? bytes : bytes[..plain];
        length += run.Length;
        Keep(run);
        if (plain < 0) return bytes.Length;
        if (bytes[plain] == '\\') isEscaped = hadEscape = true;
        else EndString();
        return plain + 1;
    }

    private void Escaped(byte b)
    {
        if (isEscaped)
        {
            isEscaped = false;
            if (b == 'u') { (digits, unicode) = (4, 0); return; }
            Put(b switch { (byte)'n' => (byte)'\n', (byte)'t' => (byte)'\t', (byte)'r' => (byte)'\r', (byte)'b' => (byte)'\b', (byte)'f' => (byte)'\f', _ => b });
            return;
        }
        unicode = unicode * 16 + (char.IsAsciiHexDigit((char)b) ? b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10 : 0);
        if (--digits > 0) return;
        if (unicode < 0x80) { Put((byte)unicode); return; }
        // Of a surrogate pair each half counts for half of its four bytes.
        var isPair = unicode is >= 0xD800 and < 0xE000;
        length += isPair || unicode < 0x800 ? 2 : 3;
        Span<byte> utf8 = stackalloc byte[4];
        if (!isPair && new System.Text.Rune(unicode).TryEncodeToUtf8(utf8, out var written)) Keep(utf8[..written]);
    }

    private void Put(byte b)
    {
        length++;
        Keep(b);
    }

    private void EndString()
    {
        if (isKey)
        {
            // A key longer than what is kept is none of those that are wanted.
            next = length <= MostKept ? frames[depth - 1].Node?.Member(kept.AsSpan(0, keptLength)) : null;
            state = State.Colon;
            return;
        }
        if (Strings is not null && !hadEscape && (next is not { Targets.Length: > 0 } || next.Targets is [var only] && only == Measured)) Strings.Add(new ScannedString(begun, (int)length, next is { Targets.Length: > 0 }));
        if (next is not null) Tell(JsonKind.String, kept.AsSpan(0, keptLength), length);
        EndValue();
    }

    private void EndScalar()
    {
        if (next is not null) Tell(kept[0] is (byte)'-' or >= (byte)'0' and <= (byte)'9' ? JsonKind.Number : JsonKind.Literal, kept.AsSpan(0, keptLength), 0);
        EndValue();
    }

    private void Tell(JsonKind kind, ReadOnlySpan<byte> text, long length)
    {
        foreach (var target in next!.Targets) sink.Value(target, kind, text, length);
    }

    private void Keep(byte b)
    {
        if (keptLength < MostKept) kept[keptLength++] = b;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (!isKey && next is not { Targets.Length: > 0 }) return;
        var room = Math.Min(bytes.Length, MostKept - keptLength);
        bytes[..room].CopyTo(kept.AsSpan(keptLength));
        keptLength += room;
    }

    private static bool IsScalar(byte b) => b is (byte)'-' or (byte)'+' or (byte)'.' or >= (byte)'0' and <= (byte)'9' or >= (byte)'a' and <= (byte)'z' or (byte)'E';
}
