namespace Turnpike.Metering.Reading;

/// <summary>How an answer is cut into pieces that each hold one JSON text. Fed as the bytes pass, split anywhere.</summary>
internal abstract class Framing
{
    /// <summary>Reads up to the end of a frame at most, and tells how far; <paramref name="ended"/> is true when a frame is whole.</summary>
    public abstract int Read(ReadOnlySpan<byte> bytes, JsonScanner into, out bool ended);

    /// <summary>One JSON text, or several one after the other: never cut.</summary>
    internal sealed class Whole : Framing
    {
        public override int Read(ReadOnlySpan<byte> bytes, JsonScanner into, out bool ended)
        {
            into.Read(bytes);
            ended = false;
            return bytes.Length;
        }
    }

    /// <summary>One JSON array whose elements come one by one: a frame is an element. Anything but an array is never cut.</summary>
    internal sealed class Elements : Framing
    {
        private byte first;

        /// <summary>How many elements there were.</summary>
        public int Count { get; private set; }

        public override int Read(ReadOnlySpan<byte> bytes, JsonScanner into, out bool ended)
        {
            for (var i = 0; first == 0 && i < bytes.Length; i++)
                if (bytes[i] is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')) first = bytes[i];
            for (var at = 0; ;)
            {
                at += into.Read(bytes[at..], out ended);
                if (ended && first == '[')
                {
                    Count++;
                    return at;
                }
                if (at == bytes.Length) { ended = false; return at; }
            }
        }
    }
}
