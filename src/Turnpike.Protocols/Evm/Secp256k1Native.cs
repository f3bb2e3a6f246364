using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Turnpike.Protocols.Evm;

/// <summary>The system's libsecp256k1 with its recovery module, bound by hand so that its absence is an answer and not an exception.</summary>
internal static unsafe class Secp256k1Native
{
    private const uint SignAndVerify = 0x0301;
    private const uint Uncompressed = 0x0002;

    private static readonly string[] Names =
        ["libsecp256k1.so.1", "libsecp256k1.so.2", "libsecp256k1.so.5", "libsecp256k1.so.6", "libsecp256k1.so.0", "libsecp256k1.so", "libsecp256k1.dylib", "libsecp256k1.dll"];

    private static readonly Binding? Library = Bind();

    public static bool IsAvailable => Library is not null;

    /// <summary>Writes X|Y of the signer's key; the caller has checked lengths, ranges and that the recovery id is 0 or 1 (a wrong one would abort the process).</summary>
    public static bool TryRecover(ReadOnlySpan<byte> hash32, ReadOnlySpan<byte> signature64, int recoveryId, Span<byte> point64)
    {
        if (Library is not { } library) return false;
        var signature = stackalloc byte[65];
        var key = stackalloc byte[64];
        fixed (byte* hash = hash32, compact = signature64)
        {
            return library.ParseCompact(library.Context, signature, compact, recoveryId) == 1
                && library.Recover(library.Context, key, signature, hash) == 1
                && Serialize(library, key, point64);
        }
    }

    /// <summary>Writes r|s with low s; the recovery id may be 2 or 3 where r wrapped around the order.</summary>
    public static bool Sign(ReadOnlySpan<byte> hash32, ReadOnlySpan<byte> privateKey, Span<byte> signature64, out int recoveryId)
    {
        recoveryId = 0;
        if (Library is not { } library) return false;
        var signature = stackalloc byte[65];
        fixed (byte* hash = hash32, key = privateKey, compact = signature64)
        fixed (int* id = &recoveryId)
        {
            return library.SignRecoverable(library.Context, signature, hash, key, 0, 0) == 1
                && library.SerializeCompact(library.Context, compact, id, signature) == 1;
        }
    }

    public static bool TryPublicKey(ReadOnlySpan<byte> privateKey, Span<byte> point64)
    {
        if (Library is not { } library) return false;
        var point = stackalloc byte[64];
        fixed (byte* key = privateKey)
        {
            return library.CreateKey(library.Context, point, key) == 1 && Serialize(library, point, point64);
        }
    }

    private static bool Serialize(Binding library, byte* key, Span<byte> point64)
    {
        var encoded = stackalloc byte[65];
        nuint length = 65;
        if (library.SerializeKey(library.Context, encoded, &length, key, Uncompressed) != 1 || length != 65) return false;
        new ReadOnlySpan<byte>(encoded + 1, 64).CopyTo(point64);
        return true;
    }

    private static Binding? Bind()
    {
        foreach (var name in Names)
        {
            if (!NativeLibrary.TryLoad(name, out var handle)) continue;
            if (Binding.TryCreate(handle) is { } binding) return binding;
            NativeLibrary.Free(handle);
        }
        return null;
    }

    /// <summary>The entry points and the one context, blinded once against side channels and then only read, which the library allows from many threads.</summary>
    private sealed class Binding
    {
        public nint Context { get; private init; }
        public delegate* unmanaged[Cdecl]<nint, byte*, byte*, int, int> ParseCompact { get; private init; }
        public delegate* unmanaged[Cdecl]<nint, byte*, byte*, byte*, int> Recover { get; private init; }
        public delegate* unmanaged[Cdecl]<nint, byte*, byte*, byte*, nint, nint, int> SignRecoverable { get; private init; }
        public delegate* unmanaged[Cdecl]<nint, byte*, int*, byte*, int> SerializeCompact { get; private init; }
        public delegate* unmanaged[Cdecl]<nint, byte*, byte*, int> CreateKey { get; private init; }
        public delegate* unmanaged[Cdecl]<nint, byte*, nuint*, byte*, uint, int> SerializeKey { get; private init; }

        public static Binding? TryCreate(nint handle)
        {
            if (!Export(handle, "context_create", out var create) || !Export(handle, "context_randomize", out var randomize)
                || !Export(handle, "ecdsa_recoverable_signature_parse_compact", out var parse) || !Export(handle, "ecdsa_recover", out var recover)
                || !Export(handle, "ecdsa_sign_recoverable", out var sign) || !Export(handle, "ecdsa_recoverable_signature_serialize_compact", out var compact)
                || !Export(handle, "ec_pubkey_create", out var createKey) || !Export(handle, "ec_pubkey_serialize", out var serializeKey)) return null;
            var context = ((delegate* unmanaged[Cdecl]<uint, nint>)create)(SignAndVerify);
            if (context == 0) return null;
            var seed = stackalloc byte[32];
            RandomNumberGenerator.Fill(new Span<byte>(seed, 32));
            if (((delegate* unmanaged[Cdecl]<nint, byte*, int>)randomize)(context, seed) != 1) return null;
            return new Binding
            {
                Context = context,
                ParseCompact = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, int, int>)parse,
                Recover = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, byte*, int>)recover,
                SignRecoverable = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, byte*, nint, nint, int>)sign,
                SerializeCompact = (delegate* unmanaged[Cdecl]<nint, byte*, int*, byte*, int>)compact,
                CreateKey = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, int>)createKey,
                SerializeKey = (delegate* unmanaged[Cdecl]<nint, byte*, nuint*, byte*, uint, int>)serializeKey,
            };
        }

        private static bool Export(nint handle, string name, out nint address) =>
            NativeLibrary.TryGetExport(handle, "secp256k1_" + name, out address);
    }
}
