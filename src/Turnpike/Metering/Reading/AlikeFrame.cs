using System.Buffers;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace Turnpike.Metering.Reading;

/// <summary>
/// The frame just read, for the one after it: most of a stream's frames differ from their neighbour only inside strings that nobody
/// asks for, or whose length alone counts. Such a frame tells the same again, and so much more text; it is compared, not read.
/// </summary>
internal sealed class AlikeFrame
{
    private const int Usual = 512, Most = 2048;

    private static readonly SearchValues<byte> EndOfString = SearchValues.Create("\"\\\r\n"u8);

    private readonly List<(int Start, int Length, bool Measured)> holes = [], texts = [];
    private byte[] frame = [], seam = []; // a seam: from the text of one frame to that of the next
    private int length; // zero: none is kept
    private long fixedText;
    private bool inTextAlone; // what nobody asks for has not differed so far: then it is compared with the rest, in one piece

    /// <summary>Keeps a frame that was read in one piece.</summary>
    /// <param name="begin">Where its JSON begins; below zero: it is not in one piece itself.</param>
    /// <param name="text">The bytes of text it told.</param>
    public void Keep(ReadOnlySpan<byte> bytes, int begin, IReadOnlyList<ScannedString> strings, long text)
    {
        Forget();
        // A CR may belong together with an LF that is still to come.
        if (begin < 0 || bytes.Length is 0 or > Most || bytes[^1] != '\n') return;
        if (frame.Length < bytes.Length) Grow(bytes.Length <= Usual ? Usual : Most); // twice at most: frames that grow one by one must not allocate each
        bytes.CopyTo(frame);
        (length, fixedText, inTextAlone) = (bytes.Length, text, true);
        for (var i = 0; i < strings.Count; i++)
        {
            holes.Add((begin + strings[i].Start, strings[i].Length, strings[i].Measured));
            if (!strings[i].Measured) continue;
            fixedText -= strings[i].Length;
            texts.Add(holes[^1]);
        }
        if (texts is not [var (start, size, _)]) return;
        frame.AsSpan(start + size, length - start - size).CopyTo(seam);
        frame.AsSpan(0, start).CopyTo(seam.AsSpan(length - start - size));
    }

    public void Forget()
    {
        length = 0;
        holes.Clear();
        texts.Clear();
    }

    /// <summary>The length of the frame that begins here, when it is alike; zero when it is not; below zero when it may be, but is not whole yet.</summary>
    /// <param name="text">The bytes of text it tells.</param>
    public int Match(ReadOnlySpan<byte> bytes, out long text)
    {
        text = 0;
        if (length == 0) return 0;
        if (inTextAlone && Match(bytes, texts, out text) is var same and not 0) return same;
        var alike = Match(bytes, holes, out text);
        if (alike > 0) inTextAlone = false;
        return alike;
    }

    /// <summary>How far the frames that begin here are alike, one after the other, while together they tell no more than <paramref name="most"/> bytes of text.</summary>
    /// <param name="text">The bytes of text they tell.</param>
    public int MatchAll(ReadOnlySpan<byte> bytes, long most, out long text)
    {
        text = 0;
        var at = inTextAlone && texts.Count == 1 ? MatchSeams(bytes, most, ref text) : 0;
        while (Match(bytes[at..], out var more) is var next and > 0 && text + more <= most) (text, at) = (text + more, at + next);
        return at;
    }

    private void Grow(int size) => (frame, seam) = (new byte[size], new byte[size]);

    /// <summary>Of frames that differ in one text alone: from text to text what is between them is compared at once.</summary>
    private int MatchSeams(ReadOnlySpan<byte> bytes, long most, ref long text)
    {
        var (start, size, _) = texts[0];
        if (length == 0 || !bytes.StartsWith(frame.AsSpan(0, start))) return 0;
        ReadOnlySpan<byte> between = seam.AsSpan(0, length - size);
        var (at, whole) = (start, 0);
        while (Run(bytes[at..]) is var run and >= 0 && bytes[(at + run)..].StartsWith(between) && text + fixedText + run <= most)
        {
            text += fixedText + run;
            at += run + between.Length;
            whole = at - start;
        }
        return whole;
    }

    /// <summary>Where the string that goes on here ends, below zero when it does not. A word's end is near: looked for without the set-up of a search.</summary>
    private static int Run(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Vector128<byte>.Count) return bytes.IndexOfAny(EndOfString);
        var near = Vector128.Create(bytes);
        var ends = Vector128.Equals(near, Vector128.Create((byte)'"')) | Vector128.Equals(near, Vector128.Create((byte)'\\')) | Vector128.Equals(near, Vector128.Create((byte)'\r')) | Vector128.Equals(near, Vector128.Create((byte)'\n'));
        return ends != default ? BitOperations.TrailingZeroCount(ends.ExtractMostSignificantBits()) : bytes.IndexOfAny(EndOfString);
    }

    private int Match(ReadOnlySpan<byte> bytes, List<(int Start, int Length, bool Measured)> differing, out long text)
    {
        (text, var at, var from) = (fixedText, 0, 0);
        foreach (var (start, size, measured) in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(differing))
        {
            if (Compare(bytes[at..], from, start) is var same and <= 0) return same;
            at += start - from;
            var run = Run(bytes[at..]);
            if (run < 0) return bytes.Length < Most ? -1 : 0;
            at += run;
            if (measured) text += run;
            from = start + size;
        }
        return Compare(bytes[at..], from, length) is var end and <= 0 ? end : at + length - from;
    }

    /// <summary>Above zero: the same; zero: not; below zero: as far as it goes.</summary>
    private int Compare(ReadOnlySpan<byte> bytes, int from, int to)
    {
        var wanted = frame.AsSpan(from, to - from);
        return bytes.StartsWith(wanted) ? 1 : bytes.Length < wanted.Length && wanted.StartsWith(bytes) ? -1 : 0;
    }
}

/// <summary>A string value without escapes, by its place in a JSON text.</summary>
/// <param name="Measured">Its length counts; otherwise nobody asks for it.</param>
internal readonly record struct ScannedString(int Start, int Length, bool Measured);
