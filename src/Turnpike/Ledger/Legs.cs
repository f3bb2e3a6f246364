using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Turnpike.Ledger;

/// <summary>The legs of a hold: what they must be like, and their text in the database.</summary>
internal static class Legs
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? writer;

    /// <summary>At least one leg, nothing negative, and every leg that is not fixed moves what the first one moves.</summary>
    /// <exception cref="LedgerException">They are not like that.</exception>
    public static void Check(Hold hold)
    {
        if (hold.Legs.Count == 0) throw new LedgerException($"Hold {hold.Id} has no legs.");
        foreach (var leg in hold.Legs)
        {
            if (leg.Amount.Units < 0 || leg.From == leg.To) throw new LedgerException($"Hold {hold.Id}: nothing moves {leg.Amount} from {leg.From} to {leg.To}.");
            if (!leg.Fixed && !leg.Part && leg.Amount != hold.Ceiling) throw new LedgerException($"Hold {hold.Id}: a leg of {leg.Amount} cannot move as much as the first, {hold.Ceiling}.");
        }
    }

    /// <summary>What a leg moves when <paramref name="captured"/> is taken of the first one, or of those that share the money.</summary>
    public static long Moves(IReadOnlyList<Leg> legs, int index, long captured)
    {
        if (!legs[index].Part) return index > 0 && legs[index].Fixed ? legs[index].Amount.Units : captured;
        for (var i = 0; i < index; i++) captured -= legs[i].Amount.Units;
        return Math.Clamp(captured, 0, legs[index].Amount.Units);
    }

    /// <summary>What the legs that share the money come to.</summary>
    public static Money Sum(IReadOnlyList<Leg> legs)
    {
        var sum = legs[0].Amount;
        for (var i = 1; i < legs.Count && legs[i].Part; i++) sum += legs[i].Amount;
        return sum;
    }

    public static AccountKey Giver(this Leg leg) => new(leg.From, leg.Amount.Currency);

    public static AccountKey Taker(this Leg leg) => new(leg.To, leg.Amount.Currency);

    /// <summary>JSON: <c>[{"from":"token:7","to":"revenue:forecast","units":10000000,"currency":"USD","limited":true}]</c>.</summary>
    public static string Write(IReadOnlyList<Leg> legs)
    {
        var bytes = buffer ??= new ArrayBufferWriter<byte>(512);
        bytes.ResetWrittenCount();
        var json = writer ??= new Utf8JsonWriter(bytes);
        json.Reset(bytes);
        json.WriteStartArray();
        foreach (var leg in legs)
        {
            json.WriteStartObject();
            json.WriteString("from"u8, leg.From);
            json.WriteString("to"u8, leg.To);
            json.WriteNumber("units"u8, leg.Amount.Units);
            json.WriteString("currency"u8, leg.Amount.Currency);
            if (leg.Limited) json.WriteBoolean("limited"u8, true);
            if (leg.Fixed) json.WriteBoolean("fixed"u8, true);
            if (leg.Part) json.WriteBoolean("part"u8, true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.Flush();
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    public static IReadOnlyList<Leg> Read(ReadOnlySpan<byte> text)
    {
        var json = new Utf8JsonReader(text);
        List<Leg> legs = new(2);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.StartObject) legs.Add(ReadOne(ref json));
        return legs;
    }

    private static Leg ReadOne(ref Utf8JsonReader json)
    {
        string from = "", to = "", currency = "";
        long units = 0;
        bool limited = false, isFixed = false, part = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString();
            json.Read();
            switch (name)
            {
                case "from": from = json.GetString()!; break;
                case "to": to = json.GetString()!; break;
                case "units": units = json.GetInt64(); break;
                case "currency": currency = json.GetString()!; break;
                case "limited": limited = json.GetBoolean(); break;
                case "fixed": isFixed = json.GetBoolean(); break;
                case "part": part = json.GetBoolean(); break;
            }
        }
        return new Leg(from, to, new Money(units, currency), limited, isFixed, part);
    }
}
