using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Storage;

namespace Turnpike.Identity.Signatures;

/// <summary>
/// Nonces that a DPoP proof has to carry (RFC 9449 §8): made of the time under a key that all nodes share, and kept nowhere. A proof
/// made ahead of time, for when its maker has the key no more, is useless; one of ours is good for five to ten minutes.
/// </summary>
internal sealed class DpopNonces(InstallationStore installation)
{
    private const int Bytes = 18;
    private static readonly TimeSpan Stretch = TimeSpan.FromMinutes(5);
    private byte[]? key;

    public async ValueTask<string> CurrentAsync(DateTimeOffset now, CancellationToken ct) => Make(await KeyAsync(ct), now.UtcTicks / Stretch.Ticks);

    public async ValueTask<bool> IsGoodAsync(string? nonce, DateTimeOffset now, CancellationToken ct)
    {
        if (nonce is null) return false;
        var (secret, stretch) = (await KeyAsync(ct), now.UtcTicks / Stretch.Ticks);
        return Same(nonce, Make(secret, stretch)) | Same(nonce, Make(secret, stretch - 1));
    }

    private static bool Same(string presented, string ours) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(presented), Encoding.UTF8.GetBytes(ours));

    private static string Make(byte[] secret, long stretch) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(stretch.ToString(CultureInfo.InvariantCulture))).AsSpan(0, Bytes));

    private async ValueTask<byte[]> KeyAsync(CancellationToken ct) => key ??= await installation.KeyAsync("dpop-nonces", ct);
}
