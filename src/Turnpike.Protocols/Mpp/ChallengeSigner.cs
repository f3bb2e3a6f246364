using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.Signing;

namespace Turnpike.Protocols.Mpp;

/// <summary>Binds a challenge's id to its terms, so that an echoed challenge is believed without being stored.</summary>
/// <remarks>
/// id = base64url(HMAC-SHA256(secret, realm|method|intent|request|expires|digest|opaque)), absent values empty; a
/// <c>header</c> other than <c>Authorization</c> takes one more slot before opaque (draft-httpauth-payment §5.1.2).
/// </remarks>
public sealed class ChallengeSigner
{
    /// <summary>Fewest bytes of a secret, as the reference implementation demands.</summary>
    public const int MinSecretLength = 32;

    private const int IdLength = 43;

    private readonly byte[][] secrets;

    /// <param name="secrets">The current secret first, then those that are still accepted.</param>
    /// <exception cref="ArgumentException">There is no secret, or one is shorter than <see cref="MinSecretLength"/>.</exception>
    public ChallengeSigner(IReadOnlyList<byte[]> secrets)
    {
        if (secrets.Count == 0) throw new ArgumentException("a secret is needed", nameof(secrets));
        this.secrets = new byte[secrets.Count][];
        for (var i = 0; i < secrets.Count; i++)
        {
            if (secrets[i].Length < MinSecretLength) throw new ArgumentException($"a secret has at least {MinSecretLength} bytes", nameof(secrets));
            this.secrets[i] = [.. secrets[i]];
        }
    }

    /// <summary>The challenge with its id under the current secret; what was in <see cref="Challenge.Id"/> is replaced.</summary>
    /// <exception cref="ArgumentException">The challenge has a <see cref="Challenge.FindFault">fault</see>.</exception>
    public Challenge Sign(Challenge challenge) => challenge with { Id = ComputeId(secrets[0], challenge) };

    /// <summary>True if the id was made by <see cref="Sign"/> for exactly these values, under any secret; compared in constant time. Never throws.</summary>
    public bool Verify(Challenge challenge)
    {
        if (challenge.Id.Length != IdLength || !Ascii.IsValid(challenge.Id) || challenge.FindFault() is not null) return false;
        Span<byte> given = stackalloc byte[IdLength];
        Encoding.ASCII.GetBytes(challenge.Id, given);
        Span<char> id = stackalloc char[IdLength];
        Span<byte> expected = stackalloc byte[IdLength];
        foreach (var secret in secrets)
        {
            ComputeId(secret, challenge, id);
            Encoding.ASCII.GetBytes(id, expected);
            if (CryptographicOperations.FixedTimeEquals(given, expected)) return true;
        }
        return false;
    }

    /// <summary>The id of <paramref name="challenge"/> under <paramref name="secret"/>, whose length is not judged here.</summary>
    /// <exception cref="ArgumentException">The challenge has a <see cref="Challenge.FindFault">fault</see>.</exception>
    public static string ComputeId(ReadOnlySpan<byte> secret, Challenge challenge)
    {
        if (challenge.FindFault() is { } fault) throw new ArgumentException(fault, nameof(challenge));
        Span<char> id = stackalloc char[IdLength];
        ComputeId(secret.ToArray(), challenge, id);
        return id.ToString();
    }

    private static void ComputeId(byte[] secret, Challenge c, Span<char> id)
    {
        var header = c.Header is null or MppHeaders.Authorization ? null : c.Header;
        var characters = c.Realm.Length + c.Method.Length + c.Intent.Length + c.Request.Length + Length(c.Expires) + Length(c.Digest)
                       + Length(header) + Length(c.Opaque) + 7;
        var room = Encoding.UTF8.GetMaxByteCount(characters);
        byte[]? rented = null;
        var input = room <= 4096 ? stackalloc byte[room] : rented = ArrayPool<byte>.Shared.Rent(room);

        var length = Append(input, 0, c.Realm, first: true);
        length = Append(input, length, c.Method);
        length = Append(input, length, c.Intent);
        length = Append(input, length, c.Request);
        length = Append(input, length, c.Expires);
        length = Append(input, length, c.Digest);
        if (header is not null) length = Append(input, length, header);
        length = Append(input, length, c.Opaque);

        Span<byte> mac = stackalloc byte[KeyedHash.Length];
        KeyedHash.Hash(secret, input[..length], mac);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        Base64Url.Encode(mac, id);
    }

    private static int Append(Span<byte> input, int at, string? slot, bool first = false)
    {
        if (!first) input[at++] = (byte)'|';
        return at + Encoding.UTF8.GetBytes(slot, input[at..]);
    }

    private static int Length(string? slot) => slot?.Length ?? 0;
}
