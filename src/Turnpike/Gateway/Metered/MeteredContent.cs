using System.Net;

namespace Turnpike.Gateway.Metered;

/// <summary>An upstream's body with a meter in it, in the upstream's place.</summary>
internal sealed class MeteredContent(HttpContent upstream, AnswerMeter meter) : HttpContent
{
    protected override async Task<Stream> CreateContentReadStreamAsync() => await CreateContentReadStreamAsync(CancellationToken.None);

    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
        new MeteredStream(await upstream.ReadAsStreamAsync(cancellationToken), meter);

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
