using System.Globalization;
using System.Text.Json;
using Turnpike.Protocols.Http;
using Turnpike.Storage;

namespace Turnpike.Audit;

/// <summary>
/// The trail as text, one JSON object a line: events with everything their link covers, checkpoints, and for each node the link its
/// first event follows. <c>audit verify FILE</c> needs nothing else but the public keys.
/// </summary>
internal static class AuditLine
{
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.ffffffZ";

    /// <summary>An event as it was recorded. Bytes are hex; absent fields are left out; <c>erased</c> stands where personal fields were.</summary>
    public static void Write(Utf8JsonWriter json, AuditRow row)
    {
        json.WriteStartObject();
        json.WriteString("type", "event");
        json.WriteString("node", row.Node);
        json.WriteNumber("sequence", row.Sequence);
        json.WriteString("time", Time(row.Microseconds));
        Field(json, "kind", row.Event.Kind);
        Field(json, "correlation", row.Event.Correlation);
        Field(json, "reason", row.Event.Reason);
        Field(json, "operation", row.Event.Operation);
        Field(json, "caller", row.Event.Caller);
        Field(json, "agent", row.Event.Agent);
        Field(json, "onBehalfOf", row.Event.OnBehalfOf);
        Field(json, "payer", row.Event.Payer);
        Field(json, "address", row.Event.Address);
        Field(json, "request", row.Event.Request);
        Field(json, "method", row.Event.Method);
        Field(json, "amount", row.Event.Amount);
        Field(json, "reference", row.Event.Reference);
        Field(json, "detail", row.Event.Detail);
        if (row.Event.Times > 1) json.WriteNumber("times", row.Event.Times);
        Field(json, "salt", Hex(row.Salt));
        Field(json, "erased", Hex(row.Erased));
        Field(json, "hash", Hex(row.Hash));
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, AuditCheckpoint checkpoint)
    {
        json.WriteStartObject();
        json.WriteString("type", "checkpoint");
        json.WriteString("node", checkpoint.Node);
        json.WriteNumber("sequence", checkpoint.Sequence);
        json.WriteString("hash", Hex(checkpoint.Hash));
        json.WriteString("signed", checkpoint.Signed);
        json.WriteEndObject();
    }

    /// <summary>The link that a node's first event in the file follows.</summary>
    public static void Write(Utf8JsonWriter json, string node, AuditHead start)
    {
        json.WriteStartObject();
        json.WriteString("type", "start");
        json.WriteString("node", node);
        json.WriteNumber("sequence", start.Sequence);
        json.WriteString("hash", Hex(start.Hash));
        json.WriteEndObject();
    }

    /// <summary>An <see cref="AuditRow"/>, an <see cref="AuditCheckpoint"/>, or a node and its <see cref="AuditHead"/>, also out of a CloudEvent's data; null for what is none of them.</summary>
    public static object? Read(ReadOnlySpan<byte> line)
    {
        if (StrictJson.Parse(line) is not { ValueKind: JsonValueKind.Object } json) return null;
        if (json.TryGetProperty("specversion", out _)) json = json.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object ? data : default;
        if (json.ValueKind != JsonValueKind.Object || Text(json, "node") is not { } node || Number(json, "sequence") is not { } sequence || Bytes(json, "hash") is not { Length: AuditHash.Length } hash) return null;
        return Text(json, "type") switch
        {
            "event" => Event(json, node, sequence, hash),
            "checkpoint" => Text(json, "signed") is { } signed ? new AuditCheckpoint(node, sequence, hash, signed) : null,
            "start" => (node, new AuditHead(sequence, 0, hash)),
            _ => null,
        };
    }

    public static string Time(long microseconds) => Microseconds.FromMicroseconds(microseconds).ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static AuditRow? Event(JsonElement json, string node, long sequence, byte[] hash)
    {
        if (Text(json, "kind") is not { } kind || Text(json, "correlation") is not { } correlation) return null;
        if (!DateTimeOffset.TryParseExact(Text(json, "time"), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) return null;
        var happened = new AuditEvent
        {
            Kind = kind,
            Correlation = correlation,
            Reason = Text(json, "reason"),
            Operation = Text(json, "operation"),
            Caller = Text(json, "caller"),
            Agent = Text(json, "agent"),
            OnBehalfOf = Text(json, "onBehalfOf"),
            Payer = Text(json, "payer"),
            Address = Text(json, "address"),
            Request = Text(json, "request"),
            Method = Text(json, "method"),
            Amount = Text(json, "amount"),
            Reference = Text(json, "reference"),
            Detail = Text(json, "detail"),
            Times = Number(json, "times") ?? 1,
        };
        return new AuditRow(node, sequence, time.ToMicroseconds(), happened, Bytes(json, "salt"), Bytes(json, "erased"), hash);
    }

    private static void Field(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }

    private static string? Hex(byte[]? bytes) => bytes is null ? null : Convert.ToHexStringLower(bytes);

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Number(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    private static byte[]? Bytes(JsonElement json, string name) => Text(json, name) is { Length: <= 128 } text && text.Length % 2 == 0 && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : null;
}
