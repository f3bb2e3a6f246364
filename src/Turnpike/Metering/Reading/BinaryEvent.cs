using System.Buffers.Binary;
using System.Text;

namespace Turnpike.Metering.Reading;

/// <summary>Writes one frame of Amazon's event stream.</summary>
internal static class BinaryEvent
{
    private const byte StringHeader = 7;

    public static byte[] Write(string type, ReadOnlySpan<byte> json)
    {
        using var headers = new MemoryStream();
        foreach (var (name, value) in new[] { (":event-type", type), (":content-type", "application/json"), (":message-type", "event") })
        {
            headers.WriteByte((byte)name.Length);
            headers.Write(Encoding.ASCII.GetBytes(name));
            headers.WriteByte(StringHeader);
            headers.Write([(byte)(value.Length >> 8), (byte)value.Length]);
            headers.Write(Encoding.ASCII.GetBytes(value));
        }
        var frame = new byte[16 + headers.Length + json.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, (uint)frame.Length);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(4), (uint)headers.Length);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(8), Checksum(frame.AsSpan(0, 8)));
        headers.ToArray().CopyTo(frame, 12);
        json.CopyTo(frame.AsSpan(12 + (int)headers.Length));
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(frame.Length - 4), Checksum(frame.AsSpan(0, frame.Length - 4)));
        return frame;
    }

    /// <summary>CRC-32 as in zlib.</summary>
    public static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var i = 0; i < 8; i++) crc = (crc & 1) == 1 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }
}
