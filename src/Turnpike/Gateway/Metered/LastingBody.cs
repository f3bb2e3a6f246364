namespace Turnpike.Gateway.Metered;

/// <summary>The way to a caller who may leave: with nobody there any more, what is written goes nowhere, so that a metered answer can be read to its end.</summary>
internal sealed class LastingBody(Stream inner) : Stream
{
    private bool gone;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (gone) return default;
        try
        {
            var writing = inner.WriteAsync(buffer, cancellationToken);
            if (!writing.IsCompletedSuccessfully) return LastAsync(writing);
            writing.GetAwaiter().GetResult();
        }
        catch (IOException) { gone = true; }
        return default;
    }

    private async ValueTask LastAsync(ValueTask writing)
    {
        try { await writing; }
        catch (IOException) { gone = true; }
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (gone) return;
        try { await inner.FlushAsync(cancellationToken); }
        catch (IOException) { gone = true; }
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Flush() { }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Responses are written asynchronously.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
