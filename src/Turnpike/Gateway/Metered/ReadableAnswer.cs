using System.IO.Compression;

namespace Turnpike.Gateway.Metered;

/// <summary>Takes the compression off an answer that has to be read. Upstreams are asked for none; some compress all the same.</summary>
internal static class ReadableAnswer
{
    /// <summary>False for a coding that is not known here.</summary>
    public static bool TryMake(HttpResponseMessage upstream)
    {
        var codings = upstream.Content.Headers.ContentEncoding.Where(c => !c.Equals("identity", StringComparison.OrdinalIgnoreCase)).Reverse().ToList();
        if (codings.Count == 0) return true;
        if (codings.Count > 2 || !codings.TrueForAll(IsKnown)) return false;
        upstream.Content = new Readable(upstream.Content, codings);
        return true;
    }

    private static bool IsKnown(string coding) => coding.ToLowerInvariant() is "gzip" or "x-gzip" or "deflate" or "br" || coding.Equals("zstd", StringComparison.OrdinalIgnoreCase) && ZstdNative.IsAvailable;

    private static Stream Opened(string coding, Stream from) => coding.ToLowerInvariant() switch
    {
        "deflate" => new ZLibStream(from, CompressionMode.Decompress),
        "br" => new BrotliStream(from, CompressionMode.Decompress),
        "zstd" => new ZstdStream(from),
        _ => new GZipStream(from, CompressionMode.Decompress),
    };

    /// <summary>The body as it was before; read as it comes, never whole.</summary>
    private sealed class Readable : PassedContent
    {
        private readonly IReadOnlyList<string> codings;

        public Readable(HttpContent upstream, IReadOnlyList<string> codings) : base(upstream)
        {
            this.codings = codings;
            foreach (var (name, values) in upstream.Headers.NonValidated)
                if (!IsOfTheCoding(name)) Headers.TryAddWithoutValidation(name, values);
        }

        protected override Stream Around(Stream body) => codings.Aggregate(body, (from, coding) => Opened(coding, from));

        private static bool IsOfTheCoding(string name) =>
            name.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase) || name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) || name.Equals("Content-MD5", StringComparison.OrdinalIgnoreCase)
            || name.Equals("Content-Digest", StringComparison.OrdinalIgnoreCase) || name.Equals("ETag", StringComparison.OrdinalIgnoreCase);
    }
}
