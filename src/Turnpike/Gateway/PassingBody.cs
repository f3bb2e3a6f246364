using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Turnpike.Catalog;
using Turnpike.Payments;
using Turnpike.Payments.Buying;

namespace Turnpike.Gateway;

/// <summary>
/// The response body as it passes: nothing is held back but a possible beginning of the upstream's own key, which is starred
/// out should an upstream echo it; a copy is kept for paid retries while it is small. What is paid for is counted and hashed on
/// its way, for whoever disputes it later.
/// </summary>
internal sealed class PassingBody(Stream inner, IReadOnlyList<byte[]> secrets, int keepAtMost, bool hashed) : Stream
{
    /// <summary>Hashes wait here for their next answer: making one costs more than most answers' hashing.</summary>
    private static readonly ConcurrentBag<IncrementalHash> Hashes = [];

    private readonly byte[] held = new byte[secrets.Count == 0 ? 0 : secrets.Max(s => s.Length)];
    private int heldLength;
    private IncrementalHash? hash = hashed ? Hashes.TryTake(out var used) ? used : IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
    private ArrayBufferWriter<byte>? kept = keepAtMost > 0 ? new() : null;

    /// <summary>The whole body so far, or null when it is not kept or grew too large.</summary>
    public ReadOnlyMemory<byte>? Kept => kept?.WrittenMemory;

    /// <summary>Bytes passed to the caller.</summary>
    public long Passed { get; private set; }

    public static void Install(HttpContext http, Payment payment)
    {
        var secrets = SecretsOf(payment.Call);
        var keep = payment.State is not null && payment.Credential is not null && payment.MayBeAskedAgain ? payment.Answers.MostBytes : 0;
        var paid = payment.State is not null;
        if (secrets.Count == 0 && keep == 0 && !paid) return;
        var body = new PassingBody(http.Response.Body, secrets, keep, paid);
        http.Response.Body = body;
        http.Items[typeof(PassingBody)] = body;
    }

    public static PassingBody? Of(HttpContext http) => http.Items.TryGetValue(typeof(PassingBody), out var body) ? (PassingBody)body! : null;

    /// <summary>The injected header values of the call's service, long enough to be keys.</summary>
    public static IReadOnlyList<byte[]> SecretsOf(Call call) => Wallets.SecretsOf(call).Values;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        secrets.Count == 0 ? PassAsync(buffer, cancellationToken) : StarredAsync(buffer, cancellationToken);

    private async ValueTask StarredAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        var rented = ArrayPool<byte>.Shared.Rent(heldLength + buffer.Length);
        try
        {
            held.AsSpan(0, heldLength).CopyTo(rented);
            buffer.Span.CopyTo(rented.AsSpan(heldLength));
            var all = rented.AsMemory(0, heldLength + buffer.Length);
            Star(all.Span);
            heldLength = PossibleBeginning(all.Span);
            all.Span[^heldLength..].CopyTo(held);
            await PassAsync(all[..^heldLength], cancellationToken);
        }
        finally { ArrayPool<byte>.Shared.Return(rented); }
    }

    /// <summary>Lets go of what was held back: no more is coming.</summary>
    public async ValueTask CompleteAsync(CancellationToken ct)
    {
        if (heldLength == 0) return;
        var rest = held.AsMemory(0, heldLength);
        heldLength = 0;
        await PassAsync(rest, ct);
    }

    /// <summary>What left, as a structured dictionary (RFC 8941): <c>status=200, bytes=5, response=:…:, request=:…:, hang-up=cut</c>. Once; null when it is not hashed.</summary>
    /// <param name="hangUp">What became of it when its caller left, as <see cref="Patience"/> tells it.</param>
    public string? Tell(int status, string? requestDigest, string? hangUp)
    {
        if (hash is not { } whole) return null;
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        whole.TryGetHashAndReset(digest, out _);
        hash = null;
        Hashes.Add(whole);
        var request = requestDigest is null ? "" : ", request=" + requestDigest[(requestDigest.IndexOf('=', StringComparison.Ordinal) + 1)..];
        return string.Create(CultureInfo.InvariantCulture, $"status={status}, bytes={Passed}, response=:{Convert.ToBase64String(digest)}:{request}{(hangUp is null ? "" : ", " + hangUp)}");
    }

    private ValueTask PassAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        Passed += bytes.Length;
        hash?.AppendData(bytes.Span);
        if (kept is not null && kept.WrittenCount + bytes.Length > keepAtMost) kept = null;
        kept?.Write(bytes.Span);
        return bytes.Length == 0 ? default : inner.WriteAsync(bytes, ct);
    }

    private void Star(Span<byte> bytes)
    {
        foreach (var secret in secrets)
            for (int at, from = 0; (at = bytes[from..].IndexOf(secret)) >= 0; from += at + secret.Length)
                bytes.Slice(from + at, secret.Length).Fill((byte)'*');
    }

    /// <summary>How many last bytes could be the beginning of a secret.</summary>
    private int PossibleBeginning(ReadOnlySpan<byte> bytes)
    {
        var most = 0;
        foreach (var secret in secrets)
            for (var length = Math.Min(secret.Length - 1, bytes.Length); length > most; length--)
                if (bytes[^length..].SequenceEqual(secret.AsSpan(0, length))) { most = length; break; }
        return most;
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Flush() { }

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Responses are written asynchronously.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
