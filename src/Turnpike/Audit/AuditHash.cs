using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Turnpike.Audit;

/// <summary>
/// The chain's link, so that anyone can recompute it from an export:
/// SHA-256( previous hash, 32 bytes ‖ sequence, 8 bytes ‖ time in microseconds since 1970 UTC, 8 bytes ‖ fields ).
/// The fields are kind, correlation, reason, operation, seal, method, amount, node, and times where it is more than one (decimal), in
/// this order; each is its length in bytes, 4 bytes, then the bytes (UTF-8); an absent one is the length 0xFFFFFFFF alone. Numbers
/// are big-endian. A node's first link has 32 zero bytes for the previous hash.
/// The seal is SHA-256( salt, 16 bytes ‖ caller, payer, address, request, reference, detail, and, where one of them is there, agent and
/// on-behalf-of, as fields ): it stands in the chain for what may have to be erased. Once salt and those are gone it says nothing any more,
/// and the chain holds.
/// An event without a salt that was not erased is of an earlier version. Its fields are kind, correlation, reason, operation, caller,
/// payer, address, request, method, amount, reference, detail.
/// </summary>
internal sealed class AuditHash
{
    public const int Length = 32;
    public const int SaltLength = 16;

    private readonly Sha256 sha256 = new();
    private readonly ArrayBufferWriter<byte> buffer = new(1024);

    /// <summary>Before the first event.</summary>
    public static byte[] Origin => new byte[Length];

    public byte[] Link(ReadOnlySpan<byte> previous, AuditRow row) => Link(previous, row.Node, row.Sequence, row.Microseconds, row.Event, row.Salt, row.Erased);

    public byte[] Link(ReadOnlySpan<byte> previous, string node, long sequence, long microseconds, AuditEvent happened, byte[]? salt, byte[]? erased)
    {
        var seal = erased ?? (salt is null ? null : Seal(salt, happened));
        buffer.ResetWrittenCount();
        buffer.Write(previous);
        BinaryPrimitives.WriteInt64BigEndian(buffer.GetSpan(16), sequence);
        BinaryPrimitives.WriteInt64BigEndian(buffer.GetSpan(16)[8..], microseconds);
        buffer.Advance(16);
        Write(happened.Kind);
        Write(happened.Correlation);
        Write(happened.Reason);
        Write(happened.Operation);
        if (seal is null) WriteEarlier(happened);
        else WriteSealed(happened, seal, node);
        return sha256.Hash(buffer.WrittenSpan);
    }

    /// <summary>What stands in the chain for everything that may name somebody.</summary>
    public byte[] Seal(ReadOnlySpan<byte> salt, AuditEvent happened)
    {
        buffer.ResetWrittenCount();
        buffer.Write(salt);
        Write(happened.Caller);
        Write(happened.Payer);
        Write(happened.Address);
        Write(happened.Request);
        Write(happened.Reference);
        Write(happened.Detail);
        if ((happened.Agent ?? happened.OnBehalfOf) is not null)
        {
            Write(happened.Agent);
            Write(happened.OnBehalfOf);
        }
        return sha256.Hash(buffer.WrittenSpan);
    }

    private void WriteSealed(AuditEvent happened, byte[] seal, string node)
    {
        Write(seal);
        Write(happened.Method);
        Write(happened.Amount);
        Write(node);
        if (happened.Times > 1) Write(happened.Times.ToString(CultureInfo.InvariantCulture));
    }

    private void WriteEarlier(AuditEvent happened)
    {
        Write(happened.Caller);
        Write(happened.Payer);
        Write(happened.Address);
        Write(happened.Request);
        Write(happened.Method);
        Write(happened.Amount);
        Write(happened.Reference);
        Write(happened.Detail);
    }

    private void Write(ReadOnlySpan<byte> field)
    {
        BinaryPrimitives.WriteInt32BigEndian(buffer.GetSpan(4), field.Length);
        buffer.Advance(4);
        buffer.Write(field);
    }

    private void Write(string? field)
    {
        var space = buffer.GetSpan(4 + Encoding.UTF8.GetMaxByteCount(field?.Length ?? 0));
        var length = field is null ? -1 : Encoding.UTF8.GetBytes(field, space[4..]);
        BinaryPrimitives.WriteInt32BigEndian(space, length);
        buffer.Advance(4 + Math.Max(length, 0));
    }
}
