using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Turnpike.Ledger;
using Turnpike.Metering;

namespace Turnpike.Billing.Export;

/// <summary>A record of use as others are told it.</summary>
internal static class UsageJson
{
    private static readonly string[] ByThemselves = [Units.Requests, Units.Total];
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options)) write(json);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>An event as CloudEvents 1.0 (JSON format) has it. Unique by source and id.</summary>
    public static void WriteEvent(Utf8JsonWriter json, UsageRecord record, string subject, string type)
    {
        json.WriteStartObject();
        json.WriteString("specversion", "1.0");
        json.WriteString("id", record.Id);
        json.WriteString("source", record.Source);
        json.WriteString("type", type);
        json.WriteString("subject", subject);
        json.WriteString("time", Text(record.Happened));
        json.WriteString("datacontenttype", "application/json");
        json.WritePropertyName("data");
        WriteData(json, record);
        json.WriteEndObject();
    }

    /// <summary>Quantities as whole numbers by unit; money as decimal text.</summary>
    public static void WriteData(Utf8JsonWriter json, UsageRecord record)
    {
        json.WriteStartObject();
        json.WriteString("operation", record.Operation);
        if (record.Caller is not null) json.WriteString("caller", record.Caller);
        if (record.Payer is not null) json.WriteString("payer", record.Payer);
        if (record.Model is not null) json.WriteString("model", record.Model);
        json.WriteString("origin", record.Origin);
        if (record.Receipt is not null) json.WriteString("receipt", record.Receipt);
        json.WriteStartObject("units");
        foreach (var (unit, count) in Quantities(record)) json.WriteNumber(unit, count);
        json.WriteEndObject();
        if (record.Cost is { } cost)
        {
            json.WriteStartObject("cost");
            json.WriteString("amount", Amount(cost));
            json.WriteString("currency", cost.Currency);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    /// <summary>What was counted, with what is counted by itself.</summary>
    public static IEnumerable<KeyValuePair<string, long>> Quantities(UsageRecord record)
    {
        foreach (var counted in record.Charged) yield return counted;
        foreach (var unit in ByThemselves)
            if (!record.Charged.Has(unit) && record.QuantityOf(unit) is var count and not 0) yield return new(unit, count);
    }

    /// <summary>The one name of a record where a receiver wants one: a source keeps no ':', or two records could bear the same.</summary>
    public static string NameOf(UsageRecord record) => $"{Escaped(record.Source, c => c is ':' or '%')}:{record.Id}";

    /// <summary>The same for a header, and without a dot.</summary>
    public static string HeaderNameOf(UsageRecord record) => Escaped(NameOf(record), c => c is '.' or '%' or <= ' ' or > '~');

    private static string Escaped(string text, Func<char, bool> which)
    {
        if (!text.Any(which)) return text;
        var escaped = new StringBuilder(text.Length + 16);
        Span<byte> bytes = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            if (!which(rune.IsBmp ? (char)rune.Value : char.MaxValue)) { escaped.Append(rune); continue; }
            foreach (var one in bytes[..rune.EncodeToUtf8(bytes)]) escaped.Append(CultureInfo.InvariantCulture, $"%{one:X2}");
        }
        return escaped.ToString();
    }

    public static string Amount(Money money) => money.ToString()[..^(money.Currency.Length + 1)];

    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
}
