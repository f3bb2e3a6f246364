using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Turnpike.Bench;

/// <summary>A key pair of Ed25519 by the system's OpenSSL: the runtime can make no such signatures, and the gateway only verifies them.</summary>
internal sealed unsafe partial class EdwardsPair : IDisposable
{
    private const string Library = "libcrypto.so.3";
    private const int KeyType = 1087, KeyLength = 32, SignatureLength = 64;
    private readonly nint key;

    private EdwardsPair(nint key) => this.key = key;

    public byte[] Public
    {
        get
        {
            var bytes = new byte[KeyLength];
            nuint length = KeyLength;
            fixed (byte* to = bytes) Check(RawPublic(key, to, ref length));
            return bytes;
        }
    }

    public static EdwardsPair Create()
    {
        fixed (byte* seed = RandomNumberGenerator.GetBytes(KeyLength))
        {
            var made = NewPrivate(KeyType, 0, seed, KeyLength);
            return made != 0 ? new EdwardsPair(made) : throw new CryptographicException("OpenSSL makes no such key.");
        }
    }

    public byte[] Sign(byte[] text)
    {
        var (signature, context) = (new byte[SignatureLength], NewContext());
        nuint length = SignatureLength;
        fixed (byte* from = text, to = signature)
        {
            Check(SignInit(context, 0, 0, 0, key));
            Check(Sign(context, to, ref length, from, (nuint)text.Length));
        }
        FreeContext(context);
        return signature;
    }

    public void Dispose() => FreeKey(key);

    private static void Check(int done)
    {
        if (done != 1) throw new CryptographicException("OpenSSL refused.");
    }

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_new_raw_private_key")]
    private static partial nint NewPrivate(int type, nint engine, byte* seed, nuint length);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_get_raw_public_key")]
    private static partial int RawPublic(nint key, byte* to, ref nuint length);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_free")]
    private static partial void FreeKey(nint key);

    [LibraryImport(Library, EntryPoint = "EVP_MD_CTX_new")]
    private static partial nint NewContext();

    [LibraryImport(Library, EntryPoint = "EVP_MD_CTX_free")]
    private static partial void FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "EVP_DigestSignInit")]
    private static partial int SignInit(nint context, nint options, nint digest, nint engine, nint key);

    [LibraryImport(Library, EntryPoint = "EVP_DigestSign")]
    private static partial int Sign(nint context, byte* to, ref nuint length, byte* text, nuint size);
}
