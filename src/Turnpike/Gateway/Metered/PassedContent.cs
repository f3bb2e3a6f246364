using System.Net;

namespace Turnpike.Gateway.Metered;

/// <summary>An upstream's body, passed on as it comes through a stream of ours.</summary>
internal abstract class PassedContent(HttpContent upstream) : HttpContent
{
    /// <summary>What is put around the upstream's stream.</summary>
    protected abstract Stream Around(Stream body);

    protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) => Around(await upstream.ReadAsStreamAsync(cancellationToken));

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await using var body = await CreateContentReadStreamAsync(CancellationToken.None);
        await body.CopyToAsync(stream);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) upstream.Dispose();
        base.Dispose(disposing);
    }
}
