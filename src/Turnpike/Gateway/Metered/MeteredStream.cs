using System.Buffers;
using System.Runtime.CompilerServices;

namespace Turnpike.Gateway.Metered;

/// <summary>
/// Reads an upstream's body through a meter, in the reader's own buffer. Without frames every byte passes at once; with them, a frame
/// leaves when it is whole, so that one can be kept back and the stream can end between two: one that has begun is held here.
/// </summary>
internal sealed class MeteredStream(Stream upstream, AnswerMeter meter) : AnswerStream
{
    private const int Chunk = 32 * 1024, LongestFrame = 1024 * 1024, Much = 2 * 1024, Torrent = 4, AtOnce = 16;

    private byte[] held = [];
    private int from, whole, to, end; // what leaves next, up to where frames are whole, what was read, what is here
    private bool over, running; // running: this frame is too long to be held whole, and leaves as it comes
    private bool direct; // what comes stands in the reader's own buffer
    private ValueTask<int>? ahead; // a read into ours that has begun, behind what is here
    private int inARow; // reads that brought much, one after the other: the next will too
    private int sinceAWait; // reads for which there was something already: hardly any time went by
    private ReadOnlyMemory<byte> last; // the provider's own ending

    /// <summary>
    /// An empty buffer asks to be told when there is something: until then neither side keeps one. What is there already is read without a
    /// wait, and while much comes at once we do not ask first, which would be a call of the system for each read, and read ahead.
    /// </summary>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            if (from < whole || over || inARow >= Torrent) return new(0);
            if (end == from) Return();
            return upstream.ReadAsync(buffer, cancellationToken);
        }
        while (from == whole && !over)
        {
            var window = ahead is null ? Window(buffer) : held;
            var reading = ahead ?? upstream.ReadAsync(window[end..], cancellationToken);
            ahead = null;
            if (!reading.IsCompletedSuccessfully) return ReadAsync(buffer, window, reading, cancellationToken);
            if (Pass(window.Span, reading.Result) is var count and > 0) return new(count);
        }
        ReadAhead(cancellationToken);
        return new(Take(buffer.Span));
    }

    /// <summary>What is there already leaves together: the upstream's connection gives four kilobytes at a time, and a write to the caller costs more than to read them.</summary>
    private void ReadAhead(CancellationToken ct)
    {
        while (inARow >= Torrent && !over && ahead is null && whole - from < Chunk / 2 && held.Length - end >= Much)
        {
            var reading = ReadLater(held.AsMemory(end), ct);
            if (reading.IsCompletedSuccessfully) Pass(held, reading.Result);
            else ahead = reading;
        }
    }

    /// <summary>A break is told after what came before it has left.</summary>
    private ValueTask<int> ReadLater(Memory<byte> rest, CancellationToken ct)
    {
        try { return upstream.ReadAsync(rest, ct); }
        catch (IOException broke) { return ValueTask.FromException<int>(broke); }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadAsync(Memory<byte> buffer, Memory<byte> window, ValueTask<int> reading, CancellationToken ct)
    {
        var read = await reading;
        sinceAWait = 0;
        var count = Pass(window.Span, read);
        return count > 0 ? count : await ReadAsync(buffer, ct);
    }

    /// <summary>Where the next bytes are read to, behind the frame that has begun: the reader's own buffer, or ours where that is too small or much comes at once.</summary>
    private Memory<byte> Window(Memory<byte> buffer)
    {
        var begun = held.AsMemory(from, end - from);
        direct = inARow < Torrent && buffer.Length > 2 * begun.Length;
        begun.CopyTo(direct ? buffer : held);
        (to, end, from, whole) = (to - from, begun.Length, 0, 0);
        if (direct) return buffer;
        if (held.Length - end < Chunk / 2) Grow(Math.Max(Chunk, held.Length * 2));
        return held;
    }

    /// <summary>Reads what has come, and tells how much leaves from where it stands: nothing when that is not the reader's buffer.</summary>
    private int Pass(Span<byte> window, int read)
    {
        end += read;
        inARow = read >= Much ? inARow + 1 : 0;
        if (meter.Frames) Cut(window, atEnd: read == 0);
        else Count(window[to..end]);
        if (!direct) return 0;
        var leaving = whole;
        Hold(window[whole..end]);
        meter.Passed += leaving;
        return leaving;
    }

    private void Count(ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; at < bytes.Length;) at += meter.Reader.Read(bytes[at..], out _);
        (whole, to, over) = (end, end, bytes.IsEmpty);
        if (over)
        {
            meter.End();
            return;
        }
        meter.MayLeave();
        meter.Checkpoint();
    }

    private void Cut(Span<byte> window, bool atEnd)
    {
        while (to < end && !over)
        {
            if (whole == to) whole = to += meter.LetPass(window[to..end]);
            if (to == end) break;
            var count = meter.Reader.Read(window[to..end], out var ended, mayWait: !atEnd);
            if (count == 0) break;
            to += count;
            if (ended) EndFrame(window);
        }
        if (!meter.HasEnded && sinceAWait++ % AtOnce == 0) meter.Checkpoint();
        if (atEnd && !over)
        {
            // What has no end of its own is passed on as it is.
            (whole, over) = (to, true);
            meter.End();
        }
        if (running || to - whole > LongestFrame) (whole, running) = (to, true);
    }

    /// <summary>Lets the frame go, or takes it out of what was read; the last one is followed by the provider's own ending.</summary>
    private void EndFrame(Span<byte> window)
    {
        if (meter.MayLeave() || running)
        {
            (whole, running) = (to, false);
            return;
        }
        window[to..end].CopyTo(window[whole..]);
        (end, to) = (end - (to - whole), whole);
        if (!meter.IsSpent) return;
        (over, end, last) = (true, to, meter.Ending());
        meter.End();
    }

    private void Hold(ReadOnlySpan<byte> begun)
    {
        (to, end, whole) = (to - whole, begun.Length, 0);
        if (held.Length < end) Grow(end);
        begun.CopyTo(held);
    }

    private int Take(Span<byte> buffer)
    {
        ReadOnlySpan<byte> rest = from < whole ? held.AsSpan(from, whole - from) : last.Span;
        var count = Math.Min(buffer.Length, rest.Length);
        rest[..count].CopyTo(buffer);
        if (from < whole) from += count;
        else last = last[count..];
        meter.Passed += count;
        return count;
    }

    private void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(size);
        held.AsSpan(0, Math.Min(end, held.Length)).CopyTo(larger);
        if (held.Length > 0) ArrayPool<byte>.Shared.Return(held);
        held = larger;
    }

    private void Return()
    {
        if (held.Length > 0) ArrayPool<byte>.Shared.Return(held);
        (held, from, whole, to, end) = ([], 0, 0, 0, 0);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            meter.End();
            upstream.Dispose();
            if (ahead is null) Return(); // what still reads into it must not find it with another
            over = true;
        }
        base.Dispose(disposing);
    }
}
