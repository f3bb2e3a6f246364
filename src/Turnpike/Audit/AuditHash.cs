using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Turnpike.Audit;

/// <summary>
/// The chain's link, so that anyone can recompute it from an export:
/// SHA-256( previous hash, 32 bytes ‖ sequence, 8 bytes ‖ time in microseconds since 1970 UTC, 8 bytes ‖ fields ).
/// The fields are kind, correlation, reason, operation, caller, payer, address, request, method, amount, reference, detail, in this
/// order; each is its length in UTF-8 bytes, 4 bytes, then the bytes; an absent one is the length 0xFFFFFFFF alone. Numbers are
/// big-endian. The first link's previous hash is 32 zero bytes.
/// </summary>
internal sealed class AuditHash
{
    public const int Length = 32;

    private readonly ArrayBufferWriter<byte> buffer = new(1024);

    /// <summary>Before the first event.</summary>
    public static byte[] Origin => new byte[Length];

    public byte[] Link(ReadOnlySpan<byte> previous, long sequence, long microseconds, AuditEvent happened)
    {
        buffer.ResetWrittenCount();
        buffer.Write(previous);
        BinaryPrimitives.WriteInt64BigEndian(buffer.GetSpan(16), sequence);
        BinaryPrimitives.WriteInt64BigEndian(buffer.GetSpan(16)[8..], microseconds);
        buffer.Advance(16);
        Write(happened.Kind);
        Write(happened.Correlation);
        Write(happened.Reason);
        Write(happened.Operation);
        Write(happened.Caller);
        Write(happened.Payer);
        Write(happened.Address);
        Write(happened.Request);
        Write(happened.Method);
        Write(happened.Amount);
        Write(happened.Reference);
        Write(happened.Detail);
        return SHA256.HashData(buffer.WrittenSpan);
    }

    private void Write(string? field)
    {
        var space = buffer.GetSpan(4 + Encoding.UTF8.GetMaxByteCount(field?.Length ?? 0));
        var length = field is null ? -1 : Encoding.UTF8.GetBytes(field, space[4..]);
        BinaryPrimitives.WriteInt32BigEndian(space, length);
        buffer.Advance(4 + Math.Max(length, 0));
    }
}
