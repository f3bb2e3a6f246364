using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Turnpike.Tests.Metering;

/// <summary>Bodies as upstreams compress them.</summary>
internal static class Packing
{
    public const string Without = "this system has no libzstd";

    public static bool HasZstd => Turnpike.Gateway.Metered.ZstdNative.IsAvailable;

    public static byte[] Of(byte[] body, string coding)
    {
        if (coding == "zstd") return Zstd(body);
        using var packed = new MemoryStream();
        using (Stream packing = coding switch { "gzip" => new GZipStream(packed, CompressionLevel.Optimal), "br" => new BrotliStream(packed, CompressionLevel.Optimal), _ => new ZLibStream(packed, CompressionLevel.Optimal) }) packing.Write(body);
        return packed.ToArray();
    }

    /// <summary>By the system's library, in two frames with a third between them that is to be skipped.</summary>
    private static byte[] Zstd(byte[] body) => [.. Frame(body[..(body.Length / 2)]), 0x50, 0x2A, 0x4D, 0x18, 1, 0, 0, 0, 7, .. Frame(body[(body.Length / 2)..])];

    private static byte[] Frame(byte[] body)
    {
        var packed = new byte[body.Length + 512];
        return packed[..(int)Compress(packed, (nuint)packed.Length, body, (nuint)body.Length, 3)];
    }

    [DllImport("libzstd.so.1", EntryPoint = "ZSTD_compress", ExactSpelling = true)]
    private static extern nuint Compress(byte[] to, nuint room, byte[] from, nuint length, int level);
}
