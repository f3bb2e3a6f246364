using System.Globalization;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Metering;

namespace Turnpike.Gateway.Own;

/// <summary><c>GET /usage</c>: what the presented token, or the caller whose key it is, has used, by operation and model, of this month unless <c>from</c> and <c>to</c> say another time.</summary>
internal static class UsageApi
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(400);

    public static void MapUsage(this IEndpointRouteBuilder app) => app.MapGet("/usage", async (HttpContext http, UsageStore records, TimeProvider time, CancellationToken ct) =>
    {
        var own = await OwnPath.ReadAsync(http, "usage", ct);
        if (own.Refused is { } refused) return refused;
        var now = time.GetUtcNow();
        if (!TryTime(http.Request.Query["from"], new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero), out var from) || !TryTime(http.Request.Query["to"], now, out var to) || to < from || to - from > Longest)
            return OwnPath.Problem(Reasons.MalformedRequest, "from and to are times such as 2026-11-01T00:00:00Z, at most 400 days apart.");
        var sums = new SortedDictionary<string, Sum>(StringComparer.Ordinal);
        void Take(UsageRecord record)
        {
            var key = $"{record.Operation}\0{record.Model}";
            if (!sums.TryGetValue(key, out var sum)) sums[key] = sum = new Sum(record.Operation, record.Model);
            sum.Add(record);
        }
        await (own.Call?.Caller is { } caller ? records.ScanCallerAsync(from, to, caller, Take, ct) : records.ScanAsync(from, to, "token:" + own.Token, Take, ct));
        return Results.Bytes(Write(from, to, sums.Values), "application/json");
    });

    private static bool TryTime(string? text, DateTimeOffset otherwise, out DateTimeOffset time)
    {
        time = otherwise;
        return string.IsNullOrEmpty(text) || DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }

    private static byte[] Write(DateTimeOffset from, DateTimeOffset to, IEnumerable<Sum> sums)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("from", from);
            json.WriteString("to", to);
            json.WriteStartArray("usage");
            foreach (var sum in sums) sum.Write(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>What one operation and model come to.</summary>
    private sealed class Sum(string operation, string? model)
    {
        private readonly Counts units = new();
        private readonly SortedDictionary<string, long> costs = new(StringComparer.Ordinal);
        private long calls;

        public void Add(UsageRecord record)
        {
            if (record.Origin != "correction") calls++;
            foreach (var (unit, count) in record.Charged) units.Add(unit, count);
            if (record.Cost is { } cost) costs[cost.Currency] = costs.GetValueOrDefault(cost.Currency) + cost.Units;
        }

        public void Write(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            json.WriteString("operation", operation);
            json.WriteString("model", model);
            json.WriteNumber("calls", calls);
            json.WriteStartArray("cost");
            foreach (var (currency, cost) in costs)
            {
                json.WriteStartObject();
                json.WriteString("amount", new Money(cost, currency).ToDecimal());
                json.WriteString("currency", currency);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartObject("units");
            foreach (var (unit, count) in units) json.WriteNumber(unit, count);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }
}
