using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Gateway;

/// <summary><c>GET /receipts/{id}</c>: what was paid for what, for whoever holds the id, which nobody can guess.</summary>
internal static class ReceiptsApi
{
    public static void MapReceipts(this IEndpointRouteBuilder app) => app.MapGet("/receipts/{id}", async (string id, HttpContext http, ILedger ledger, Metering.UsageStore usage, Catalog.Loading.CatalogSource catalog, CancellationToken ct) =>
    {
        if (http.Target().Error is not null || await ledger.FindByReceiptAsync(id, ct) is not { } state)
            return Results.Problem("No receipt has this id.", statusCode: 404, title: "No such receipt", type: Reasons.NotFound.Type, extensions: new Dictionary<string, object?> { ["reason"] = "not-found" });
        http.Response.Headers.CacheControl = "private, no-store";
        Answers.AllowBrowsers(http);
        return Results.Bytes(Write(state, catalog.Current.Gateway.Sandbox, await usage.FindByReceiptAsync(id, ct)), "application/json");
    });

    /// <summary>The receipt as JSON: also what the CLI and the Admin API show.</summary>
    public static byte[] Write(HoldState state, bool sandbox, Metering.UsageRecord? usage = null)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true })) Write(json, state, sandbox, usage);
        return buffer.WrittenSpan.ToArray();
    }

    public static void Write(Utf8JsonWriter json, HoldState state, bool sandbox, Metering.UsageRecord? usage = null)
    {
        json.WriteStartObject();
        json.WriteString("id", state.Hold.Receipt);
        json.WriteString("status", StatusOf(state));
        json.WriteString("operation", state.Hold.Operation);
        json.WriteString("request", state.Hold.Request);
        json.WriteStartObject("amount");
        json.WriteString("amount", state.Captured.ToDecimal());
        json.WriteString("currency", state.Captured.Currency);
        json.WriteEndObject();
        json.WriteString("payer", state.Hold.Payer);
        json.WriteString("method", state.Hold.Method);
        json.WriteString("reference", state.Reference);
        json.WriteString("railAmount", state.RailAmount);
        json.WriteString("priceVersion", state.Hold.PriceVersion);
        json.WriteString("correlation", state.Hold.Correlation);
        json.WriteString("time", state.Created);
        json.WriteString("changed", state.Changed);
        if (usage is not null) WriteUsage(json, usage);
        if (sandbox) json.WriteBoolean("sandbox", true);
        json.WriteEndObject();
    }

    private static void WriteUsage(Utf8JsonWriter json, Metering.UsageRecord usage)
    {
        json.WriteStartObject("usage");
        json.WriteString("model", usage.Model);
        json.WriteString("source", usage.Origin);
        foreach (var (unit, count) in usage.Charged) json.WriteNumber(unit, count);
        json.WriteEndObject();
    }

    private static string StatusOf(HoldState state) => state switch
    {
        { Outcome: HoldOutcome.Delivered } => "delivered",
        { Outcome: HoldOutcome.Credited } => "credited",
        { Status: HoldStatus.Released } => "released",
        { Status: HoldStatus.Unknown } => "unknown",
        { Status: HoldStatus.Held } => "held",
        _ => "paid",
    };
}
