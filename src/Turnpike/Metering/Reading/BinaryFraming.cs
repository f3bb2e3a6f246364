using System.Buffers.Binary;

namespace Turnpike.Metering.Reading;

/// <summary>
/// Amazon's event stream (<c>application/vnd.amazon.eventstream</c>): total length, headers' length, checksum; headers; payload; checksum.
/// Payloads are JSON; the checksums are the caller's to check.
/// </summary>
internal sealed class BinaryFraming : Framing
{
    private const int Prelude = 12, Checksum = 4;

    private readonly byte[] prelude = new byte[Prelude];
    private int preludeLength;
    private long headers, payload, rest;

    public override int Read(ReadOnlySpan<byte> bytes, JsonScanner into, out bool ended)
    {
        ended = false;
        var at = 0;
        while (at < bytes.Length)
        {
            if (preludeLength < Prelude)
            {
                prelude[preludeLength++] = bytes[at++];
                if (preludeLength == Prelude) Begin();
            }
            else if (headers > 0) at += Take(ref headers, bytes.Length - at);
            else if (payload > 0)
            {
                var run = Take(ref payload, bytes.Length - at);
                into.Read(bytes.Slice(at, run));
                at += run;
            }
            else
            {
                at += Take(ref rest, bytes.Length - at);
                if (rest > 0) continue;
                into.Reset();
                (preludeLength, ended) = (0, true);
                return at;
            }
        }
        return at;
    }

    private void Begin()
    {
        long total = BinaryPrimitives.ReadUInt32BigEndian(prelude), head = BinaryPrimitives.ReadUInt32BigEndian(prelude.AsSpan(4));
        // A length that cannot be true: the rest of the stream says nothing.
        var sound = total >= Prelude + head + Checksum;
        (headers, payload, rest) = sound ? (head, total - Prelude - head - Checksum, Checksum) : (long.MaxValue, 0, Checksum);
    }

    private static int Take(ref long left, int available)
    {
        var run = (int)Math.Min(left, available);
        left -= run;
        return run;
    }
}
