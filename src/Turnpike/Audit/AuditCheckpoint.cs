using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.Signing;

namespace Turnpike.Audit;

/// <summary>
/// The end a node's chain had at some time, signed by the installation (<see cref="Jws"/>, type <see cref="Typ"/>) over
/// <c>{"node","sequence","hash","time"}</c>, the hash in hex. Whoever kept one can tell whether the trail was rewritten since.
/// </summary>
internal sealed record AuditCheckpoint(string Node, long Sequence, byte[] Hash, string Signed)
{
    public const string Typ = "turnpike-checkpoint+jwt";

    /// <summary>Signed as this, it says that what came before was dropped on purpose, and that the chain begins here since.</summary>
    public const string StartTyp = "turnpike-trail-start+jwt";

    public static AuditCheckpoint Sign(string node, AuditHead head, DateTimeOffset time, InstallationKeys keys, string typ = Typ)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("node", node);
            json.WriteNumber("sequence", head.Sequence);
            json.WriteString("hash", Convert.ToHexStringLower(head.Hash));
            json.WriteString("time", time.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }
        return new AuditCheckpoint(node, head.Sequence, head.Hash, keys.Sign(buffer.WrittenSpan, typ));
    }

    /// <summary>Null when one of these keys signed just this; else why not.</summary>
    public string? Check(JwkSet keys, string typ = Typ)
    {
        var result = Jws.Verify(Signed, typ, keys);
        if (result.Payload is null) return result.Failure;
        return StrictJson.Parse(result.Payload) is { ValueKind: JsonValueKind.Object } said
            && said.TryGetProperty("node", out var node) && node.ValueKind == JsonValueKind.String && node.ValueEquals(Node)
            && said.TryGetProperty("sequence", out var sequence) && sequence.ValueKind == JsonValueKind.Number && sequence.TryGetInt64(out var number) && number == Sequence
            && said.TryGetProperty("hash", out var hash) && hash.ValueKind == JsonValueKind.String && hash.ValueEquals(Convert.ToHexStringLower(Hash))
            ? null : "What was signed is another place of the trail.";
    }
}
