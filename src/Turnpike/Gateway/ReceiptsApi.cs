using System.Text.Json;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Buying;
using Turnpike.Payments.Refunds;
using Turnpike.Pricing;

namespace Turnpike.Gateway;

/// <summary><c>GET /receipts/{id}</c>: what was paid for what, for whoever holds the id, which nobody can guess.</summary>
internal static class ReceiptsApi
{
    private const string Jose = "application/jose";

    public static void MapReceipts(this IEndpointRouteBuilder app) => app.MapGet("/receipts/{id}", ReadAsync);

    private static async Task<IResult> ReadAsync(string id, HttpContext http, ILedger ledger, Metering.UsageStore usage, InstallationKeys keys, Catalog.Loading.CatalogSource catalog, CancellationToken ct)
    {
        var bare = id.EndsWith(".jws", StringComparison.Ordinal);
        if (http.Target().Error is not null || await ledger.FindByReceiptAsync(bare ? id[..^4] : id, ct) is not { } state)
            return Results.Problem("No receipt has this id.", statusCode: 404, title: "No such receipt", type: Reasons.NotFound.Type, extensions: new Dictionary<string, object?> { ["reason"] = "not-found" });
        http.Response.Headers.CacheControl = "private, no-store";
        http.Response.Headers.Vary = "Accept";
        Answers.AllowBrowsers(http);
        var used = await usage.FindByReceiptAsync(state.Hold.Receipt, ct);
        var signed = await SignedReceipt.OfAsync(state, used, ledger, keys, catalog.Current.Gateway, ct);
        var bought = await BoughtAsync(ledger, state, ct);
        return bare || http.Request.Headers.Accept.Any(a => a?.Contains(Jose, StringComparison.OrdinalIgnoreCase) == true)
            ? Results.Text(signed, Jose)
            : Results.Bytes(Write(state, catalog.Current.Gateway.Sandbox, signed, used, catalog.Current, bought), "application/json");
    }

    /// <summary>The receipt as JSON: also what the CLI and the Admin API show.</summary>
    public static byte[] Write(HoldState state, bool sandbox, string? signed = null, Metering.UsageRecord? usage = null, ServiceCatalog? catalog = null, HoldState? bought = null)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            WriteFields(json, state, sandbox, bought);
            if (usage is not null) WriteUsage(json, usage);
            if (catalog is not null) WriteSession(json, state, catalog);
            if (signed is not null) json.WriteString("signed", signed);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    public static void WriteFields(Utf8JsonWriter json, HoldState state, bool sandbox, HoldState? bought = null)
    {
        json.WriteString("id", state.Hold.Receipt);
        json.WriteString("status", StatusOf(state));
        if (RefundTerms.From(state) is { } refund) json.WriteString("refundOf", refund.Of);
        json.WriteString("operation", state.Hold.Operation);
        json.WriteString("request", state.Hold.Request);
        WriteMoney(json, "amount", state.Captured);
        json.WriteString("payer", state.Hold.Payer);
        json.WriteString("method", state.Hold.Method);
        json.WriteString("reference", state.Reference);
        json.WriteString("railAmount", state.RailAmount);
        json.WriteString("priceVersion", state.Hold.PriceVersion);
        json.WriteString("correlation", state.Hold.Correlation);
        json.WriteString("time", state.Created);
        json.WriteString("changed", state.Changed);
        if (sandbox) json.WriteBoolean("sandbox", true);
        if (bought is not null) WriteUpstream(json, bought);
    }

    /// <summary>What was paid to the upstream for this call; null: nothing.</summary>
    public static async ValueTask<HoldState?> BoughtAsync(ILedger ledger, HoldState state, CancellationToken ct) =>
        await ledger.FindAsync(Hold.PurchasePrefix + state.Hold.Receipt, ct) is { Status: HoldStatus.Settled or HoldStatus.Unknown } bought ? bought : null;

    /// <summary>The next link of the chain: the payment's name at its rail. What it came to is between the owner and the upstream.</summary>
    private static void WriteUpstream(Utf8JsonWriter json, HoldState bought)
    {
        var terms = PurchaseTerms.From(bought);
        json.WriteStartObject("upstream");
        json.WriteString("receipt", bought.Hold.Receipt);
        json.WriteString("status", bought.Status == HoldStatus.Settled ? "paid" : "unknown");
        json.WriteString("protocol", terms?.Protocol);
        if (terms?.Authorization is { } authorization) json.WriteString("network", authorization.Network);
        json.WriteString("reference", bought.Reference);
        json.WriteEndObject();
    }

    public static void WriteMoney(Utf8JsonWriter json, string name, Money money)
    {
        json.WriteStartObject(name);
        json.WriteString("amount", money.ToDecimal());
        json.WriteString("currency", money.Currency);
        json.WriteEndObject();
    }

    public static void WriteUsage(Utf8JsonWriter json, Metering.UsageRecord usage)
    {
        json.WriteStartObject("usage");
        json.WriteString("model", usage.Model);
        json.WriteString("source", usage.Origin);
        foreach (var (unit, count) in usage.Charged) json.WriteNumber(unit, count);
        WriteCounts(json, "observed", usage.Observed);
        WriteCounts(json, "reported", usage.Reported);
        json.WriteEndObject();
    }

    /// <summary>What passed here and what the upstream told, beside what is charged.</summary>
    private static void WriteCounts(Utf8JsonWriter json, string name, Metering.Counts counts)
    {
        json.WriteStartObject(name);
        foreach (var (unit, count) in counts) json.WriteNumber(unit, count);
        json.WriteEndObject();
    }

    /// <summary>What it opens beside its own call: never the pass itself, for a receipt may be shown around.</summary>
    private static void WriteSession(Utf8JsonWriter json, HoldState state, ServiceCatalog catalog)
    {
        if (state.Hold.IsRefund || state.Hold.PriceVersion != catalog.Version || catalog.Operations.GetValueOrDefault(state.Hold.Operation)?.Settings.Get<PriceModel>() is not PriceModel.Session session) return;
        json.WriteStartObject("session");
        json.WriteString("header", SessionQuote.Header);
        json.WriteString("until", state.Created + session.Lasts);
        json.WriteEndObject();
    }

    private static string StatusOf(HoldState state) => state switch
    {
        { Hold.IsRefund: true } => state.Status switch { HoldStatus.Settled => "refunded", HoldStatus.Released => "failed", _ => "pending" },
        { Outcome: HoldOutcome.Delivered } => "delivered",
        { Outcome: HoldOutcome.Credited } => "credited",
        { Status: HoldStatus.Released } => "released",
        { Status: HoldStatus.Unknown } => "unknown",
        { Status: HoldStatus.Held } => "held",
        _ => "paid",
    };
}
