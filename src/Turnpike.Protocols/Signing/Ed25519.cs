using System.Runtime.InteropServices;

namespace Turnpike.Protocols.Signing;

/// <summary>Ed25519 (RFC 8032) by the system's OpenSSL, which the runtime uses for everything else and does not offer for this.</summary>
public static unsafe class Ed25519
{
    public const int KeyLength = 32;
    public const int SignatureLength = 64;

    /// <summary>EVP_PKEY_ED25519.</summary>
    private const int KeyType = 1087;

    private static readonly string[] Names = ["libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib", "libcrypto.dylib", "libcrypto-3-x64.dll", "libcrypto-3-arm64.dll", "libcrypto-1_1-x64.dll"];
    private static readonly Binding? Library = Bind();

    /// <summary>False where there is no OpenSSL: then nothing signed with such a key can be verified.</summary>
    public static bool IsAvailable => Library is not null;

    /// <summary>False also for a malformed key or signature.</summary>
    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (Library is not { } library || publicKey.Length != KeyLength || signature.Length != SignatureLength) return false;
        fixed (byte* key = publicKey, text = message, signed = signature)
        {
            var parsed = library.NewPublicKey(KeyType, 0, key, KeyLength);
            if (parsed == 0) return false;
            var context = library.NewContext();
            // A null pointer is what OpenSSL takes for an empty message.
            var verified = context != 0 && library.VerifyInit(context, null, 0, 0, parsed) == 1 && library.Verify(context, signed, SignatureLength, text, (nuint)message.Length) == 1;
            if (context != 0) library.FreeContext(context);
            library.FreeKey(parsed);
            // Failed checks leave words in a queue of this thread that others would read as theirs.
            if (!verified) library.ClearErrors();
            return verified;
        }
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

    private sealed class Binding
    {
        public delegate* unmanaged[Cdecl]<int, nint, byte*, nuint, nint> NewPublicKey { get; private init; }
        public delegate* unmanaged[Cdecl]<nint, void> FreeKey { get; private init; }
        public delegate* unmanaged[Cdecl]<nint> NewContext { get; private init; }
        public delegate* unmanaged[Cdecl]<nint, void> FreeContext { get; private init; }
        public delegate* unmanaged[Cdecl]<nint, nint*, nint, nint, nint, int> VerifyInit { get; private init; }
        public delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, int> Verify { get; private init; }
        public delegate* unmanaged[Cdecl]<void> ClearErrors { get; private init; }

        public static Binding? TryCreate(nint handle)
        {
            if (!NativeLibrary.TryGetExport(handle, "EVP_PKEY_new_raw_public_key", out var newKey) || !NativeLibrary.TryGetExport(handle, "EVP_PKEY_free", out var freeKey)
                || !NativeLibrary.TryGetExport(handle, "EVP_MD_CTX_new", out var newContext) || !NativeLibrary.TryGetExport(handle, "EVP_MD_CTX_free", out var freeContext)
                || !NativeLibrary.TryGetExport(handle, "EVP_DigestVerifyInit", out var init) || !NativeLibrary.TryGetExport(handle, "EVP_DigestVerify", out var verify)
                || !NativeLibrary.TryGetExport(handle, "ERR_clear_error", out var clear)) return null;
            return new Binding
            {
                NewPublicKey = (delegate* unmanaged[Cdecl]<int, nint, byte*, nuint, nint>)newKey,
                FreeKey = (delegate* unmanaged[Cdecl]<nint, void>)freeKey,
                NewContext = (delegate* unmanaged[Cdecl]<nint>)newContext,
                FreeContext = (delegate* unmanaged[Cdecl]<nint, void>)freeContext,
                VerifyInit = (delegate* unmanaged[Cdecl]<nint, nint*, nint, nint, nint, int>)init,
                Verify = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, byte*, nuint, int>)verify,
                ClearErrors = (delegate* unmanaged[Cdecl]<void>)clear,
            };
        }
    }
}
