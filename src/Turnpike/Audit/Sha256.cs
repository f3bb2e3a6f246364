using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Turnpike.Audit;

/// <summary>
/// SHA-256 for one thread that hashes all day: the system's libcrypto, with a context that is used again. The runtime makes and frees
/// one for each hash, which costs four times what the hash does. Where the library is not there, the runtime hashes.
/// </summary>
internal sealed unsafe class Sha256
{
    private const string Name = "libcrypto.so.3"; // the one the runtime has loaded

    private static readonly Binding? Library = NativeLibrary.TryLoad(Name, out var library) ? Binding.TryMake(library) : null;

    private readonly Context? context = Library is null ? null : new Context(Library);

    public byte[] Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = new byte[SHA256.HashSizeInBytes];
        if (context?.TryHash(bytes, hash) != true) SHA256.HashData(bytes, hash);
        return hash;
    }

    private sealed class Context : SafeHandle
    {
        private readonly Binding library;

        public Context(Binding library) : base(0, ownsHandle: true)
        {
            this.library = library;
            SetHandle(library.Create());
        }

        public override bool IsInvalid => handle == 0;

        public bool TryHash(ReadOnlySpan<byte> bytes, Span<byte> hash)
        {
            if (IsInvalid) return false;
            fixed (byte* from = bytes, to = hash)
            {
                var done = library.Begin(handle, library.Sha256, 0) == 1 && library.Update(handle, from, (nuint)bytes.Length) == 1 && library.End(handle, to, null) == 1;
                GC.KeepAlive(this);
                return done;
            }
        }

        protected override bool ReleaseHandle()
        {
            library.Free(handle);
            return true;
        }
    }

    private sealed class Binding
    {
        public required nint Sha256 { get; init; }

        public required delegate* unmanaged[Cdecl]<nint> Create { get; init; }

        public required delegate* unmanaged[Cdecl]<nint, void> Free { get; init; }

        public required delegate* unmanaged[Cdecl]<nint, nint, nint, int> Begin { get; init; }

        public required delegate* unmanaged[Cdecl]<nint, byte*, nuint, int> Update { get; init; }

        public required delegate* unmanaged[Cdecl]<nint, byte*, uint*, int> End { get; init; }

        public static Binding? TryMake(nint library)
        {
            if (!NativeLibrary.TryGetExport(library, "EVP_MD_fetch", out var fetch) || !NativeLibrary.TryGetExport(library, "EVP_MD_CTX_new", out var create)
                || !NativeLibrary.TryGetExport(library, "EVP_MD_CTX_free", out var free) || !NativeLibrary.TryGetExport(library, "EVP_DigestInit_ex2", out var begin)
                || !NativeLibrary.TryGetExport(library, "EVP_DigestUpdate", out var update) || !NativeLibrary.TryGetExport(library, "EVP_DigestFinal_ex", out var end)) return null;
            fixed (byte* name = "SHA256\0"u8)
            {
                var algorithm = ((delegate* unmanaged[Cdecl]<nint, byte*, nint, nint>)fetch)(0, name, 0);
                return algorithm == 0 ? null : new Binding
                {
                    Sha256 = algorithm,
                    Create = (delegate* unmanaged[Cdecl]<nint>)create,
                    Free = (delegate* unmanaged[Cdecl]<nint, void>)free,
                    Begin = (delegate* unmanaged[Cdecl]<nint, nint, nint, int>)begin,
                    Update = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, int>)update,
                    End = (delegate* unmanaged[Cdecl]<nint, byte*, uint*, int>)end,
                };
            }
        }
    }
}
