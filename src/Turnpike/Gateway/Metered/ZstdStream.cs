namespace Turnpike.Gateway.Metered;

/// <summary>Takes zstd (RFC 8878) off a body as it comes, one frame or several, with windows as large as HTTP allows.</summary>
internal sealed class ZstdStream : AnswerStream
{
    private const int LargestWindow = 23; // 8 MiB: RFC 9659
    private const int Chunk = 16 * 1024;

    private readonly Stream from;
    private readonly byte[] input = new byte[Chunk];
    private readonly Lock guard = new(); // a caller who leaves may dispose of it in the middle of a piece
    private nint decoder;
    private int at, end;
    private bool within, more, over; // more: what was decoded did not all fit

    public ZstdStream(Stream from)
    {
        this.from = from;
        decoder = ZstdNative.Create(LargestWindow);
        if (decoder == 0) throw new OutOfMemoryException("There is no memory to unpack an answer with.");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        while (true)
        {
            if ((at < end || more) && Decode(buffer.Span) is var count and > 0) return count;
            if (at < end) continue;
            if (over) return within ? throw new InvalidDataException("A zstd body ended in the middle.") : 0;
            (at, end) = (0, await from.ReadAsync(input, cancellationToken));
            over = end == 0;
        }
    }

    private int Decode(Span<byte> buffer)
    {
        lock (guard)
        {
            ObjectDisposedException.ThrowIf(decoder == 0, this);
            if (!ZstdNative.TryDecode(decoder, input.AsSpan(at, end - at), buffer, out var read, out var written, out within)) throw new InvalidDataException("A body is no zstd, or asks for too much memory.");
            at += read;
            more = written == buffer.Length;
            return written;
        }
    }

    protected override void Dispose(bool disposing)
    {
        lock (guard)
        {
            if (decoder != 0) ZstdNative.Free(decoder);
            decoder = 0;
        }
        if (disposing) from.Dispose();
        base.Dispose(disposing);
    }

    ~ZstdStream() => Dispose(disposing: false);
}
