using System.Runtime.InteropServices;

namespace Turnpike.Gateway.Metered;

/// <summary>The system's libzstd, bound by hand so that its absence is an answer and not an exception. The runtime has none of its own before .NET 11.</summary>
internal static unsafe class ZstdNative
{
    private const int LargestWindow = 100; // ZSTD_d_windowLogMax

    private static readonly string[] Names = ["libzstd.so.1", "libzstd.1.dylib", "libzstd.dylib", "libzstd.dll"];

    private static readonly Binding? Library = Bind();

    public static bool IsAvailable => Library is not null;

    /// <summary>A decoder that takes windows up to so many bytes (as a power of two); zero when there is none to be had.</summary>
    public static nint Create(int windowLog)
    {
        var decoder = Library!.Create();
        if (decoder == 0 || Library.IsError(Library.Set(decoder, LargestWindow, windowLog)) == 0) return decoder;
        Free(decoder);
        return 0;
    }

    public static void Free(nint decoder) => Library!.Free(decoder);

    /// <summary>Decodes as far as input and room go; false for what is no zstd. <paramref name="within"/>: a frame has begun and not ended.</summary>
    public static bool TryDecode(nint decoder, ReadOnlySpan<byte> from, Span<byte> to, out int read, out int written, out bool within)
    {
        fixed (byte* input = from, output = to)
        {
            var (source, target) = (new Buffer { Bytes = input, Size = (nuint)from.Length }, new Buffer { Bytes = output, Size = (nuint)to.Length });
            var left = Library!.Decode(decoder, &target, &source);
            (read, written, within) = ((int)source.At, (int)target.At, left != 0);
            return Library.IsError(left) == 0;
        }
    }

    private static Binding? Bind()
    {
        foreach (var name in Names)
            if (NativeLibrary.TryLoad(name, out var library) && Binding.TryMake(library) is { } binding) return binding;
        return null;
    }

    /// <summary>ZSTD_inBuffer and ZSTD_outBuffer.</summary>
    private struct Buffer
    {
        public byte* Bytes;
        public nuint Size;
        public nuint At;
    }

    private sealed class Binding
    {
        public required delegate* unmanaged[Cdecl]<nint> Create { get; init; }

        public required delegate* unmanaged[Cdecl]<nint, nuint> Free { get; init; }

        public required delegate* unmanaged[Cdecl]<nint, int, int, nuint> Set { get; init; }

        public required delegate* unmanaged[Cdecl]<nint, Buffer*, Buffer*, nuint> Decode { get; init; }

        public required delegate* unmanaged[Cdecl]<nuint, uint> IsError { get; init; }

        public static Binding? TryMake(nint library) =>
            NativeLibrary.TryGetExport(library, "ZSTD_createDStream", out var create) && NativeLibrary.TryGetExport(library, "ZSTD_freeDStream", out var free)
            && NativeLibrary.TryGetExport(library, "ZSTD_DCtx_setParameter", out var set) && NativeLibrary.TryGetExport(library, "ZSTD_decompressStream", out var decode)
            && NativeLibrary.TryGetExport(library, "ZSTD_isError", out var isError)
                ? new Binding
                {
                    Create = (delegate* unmanaged[Cdecl]<nint>)create,
                    Free = (delegate* unmanaged[Cdecl]<nint, nuint>)free,
                    Set = (delegate* unmanaged[Cdecl]<nint, int, int, nuint>)set,
                    Decode = (delegate* unmanaged[Cdecl]<nint, Buffer*, Buffer*, nuint>)decode,
                    IsError = (delegate* unmanaged[Cdecl]<nuint, uint>)isError,
                }
                : null;
    }
}
