using System.Security.Cryptography;

namespace Turnpike.Protocols.Signing;

/// <summary>A private key on P-256, for ES256. Any thread may sign.</summary>
public sealed class SigningKey : IDisposable
{
    private readonly ECDsa key;

    private SigningKey(ECDsa key)
    {
        this.key = key;
        Public = Jwk.Of(key.ExportParameters(includePrivateParameters: false));
    }

    public Jwk Public { get; }

    public static SigningKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <exception cref="CryptographicException">These bytes are no such key.</exception>
    public static SigningKey FromPkcs8(ReadOnlySpan<byte> bytes)
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(bytes, out _);
        if (key.KeySize == 256) return new SigningKey(key);
        key.Dispose();
        throw new CryptographicException("The key is not on P-256.");
    }

    public byte[] ToPkcs8() => key.ExportPkcs8PrivateKey();

    /// <summary>r and s, 32 bytes each (RFC 7518 §3.4).</summary>
    public byte[] Sign(ReadOnlySpan<byte> bytes)
    {
        lock (key) return key.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    public void Dispose() => key.Dispose();
}
