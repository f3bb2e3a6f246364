using System.Buffers;
using System.Runtime.CompilerServices;

namespace Turnpike.Gateway.Metered;

/// <summary>
/// Reads an upstream's body through a meter. Without frames every byte passes at once, in the reader's own buffer; with them, a frame
/// leaves when it is whole, so that one can be kept back and the stream can end between two.
/// </summary>
internal sealed class MeteredStream(Stream upstream, AnswerMeter meter) : Stream
{
    private const int Chunk = 32 * 1024, LongestFrame = 1024 * 1024;

    private byte[] held = [];
    private int from, whole, to, end; // what leaves next, up to where frames are whole, what was read, what is here
    private bool over, running; // running: this frame is too long to be held whole, and leaves as it comes

    /// <summary>An empty buffer asks to be told when there is something: until then neither side keeps one.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            if (from < whole || over) return 0;
            if (end == from) Return();
            return await upstream.ReadAsync(buffer, cancellationToken);
        }
        if (!meter.Frames) return await PassAsync(buffer, cancellationToken);
        while (from == whole)
        {
            if (over) return 0;
            await FillAsync(cancellationToken);
        }
        var count = Math.Min(buffer.Length, whole - from);
        held.AsMemory(from, count).CopyTo(buffer);
        from += count;
        meter.Passed += count;
        return count;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> PassAsync(Memory<byte> buffer, CancellationToken ct)
    {
        var read = await upstream.ReadAsync(buffer, ct);
        if (read == 0)
        {
            meter.End();
            return 0;
        }
        for (var at = 0; at < read;) at += meter.Reader.Read(buffer.Span[at..read], out _);
        meter.MayLeave();
        meter.Checkpoint();
        meter.Passed += read;
        return read;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FillAsync(CancellationToken ct)
    {
        MakeRoom();
        var read = await upstream.ReadAsync(held.AsMemory(end, held.Length - end), ct);
        end += read;
        while (to < end && !over)
        {
            var count = meter.Reader.Read(held.AsSpan(to, end - to), out var ended, mayWait: read > 0);
            if (count == 0) break;
            to += count;
            if (ended) EndFrame();
            if (ended && whole == to) whole = to += meter.LetPass(held.AsSpan(to, end - to));
        }
        if (!meter.HasEnded) meter.Checkpoint();
        if (read == 0 && !over)
        {
            // What has no end of its own is passed on as it is.
            (whole, over) = (to, true);
            meter.End();
        }
        if (running || to - whole > LongestFrame) (whole, running) = (to, true);
    }

    /// <summary>Lets the frame go, or takes it out of what was read; the last one is followed by the provider's own ending.</summary>
    private void EndFrame()
    {
        var leaves = meter.MayLeave();
        if (leaves || running)
        {
            (whole, running) = (to, false);
            return;
        }
        held.AsSpan(to, end - to).CopyTo(held.AsSpan(whole));
        (end, to) = (end - (to - whole), whole);
        if (!meter.IsSpent) return;
        (over, end) = (true, to);
        Append(meter.Ending().Span);
        meter.End();
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        to = whole;
        if (held.Length - to < bytes.Length) Grow(to + bytes.Length);
        bytes.CopyTo(held.AsSpan(to));
        whole = end = to += bytes.Length;
    }

    private void MakeRoom()
    {
        if (from > 0)
        {
            held.AsSpan(from, end - from).CopyTo(held);
            (whole, to, end, from) = (whole - from, to - from, end - from, 0);
        }
        if (held.Length - end < Chunk / 2) Grow(Math.Max(Chunk, held.Length * 2));
    }

    private void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(size);
        held.AsSpan(0, end).CopyTo(larger);
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
            Return();
            over = true;
        }
        base.Dispose(disposing);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Flush() { }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Answers are read asynchronously.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
