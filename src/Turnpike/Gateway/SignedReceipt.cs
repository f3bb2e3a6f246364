using System.Buffers;
using System.Text.Json;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Gateway;

/// <summary>A receipt that proves itself: what was paid for what, signed by the installation's key (JWS, ES256).</summary>
internal static class SignedReceipt
{
    public const string Type = "turnpike-receipt+jwt";

    /// <summary>The compact JWS. Its payload is the receipt's own JSON with <c>iss</c>, <c>usage</c> and, where a budget paid, <c>remaining</c>.</summary>
    public static async ValueTask<string> OfAsync(HoldState state, Metering.UsageRecord? usage, ILedger ledger, InstallationKeys keys, GatewaySettings gateway, CancellationToken ct)
    {
        var budget = state.Hold.Legs[0];
        Money? remaining = budget.Limited ? await ledger.AvailableAsync(budget.From, budget.Amount.Currency, ct) : null;
        var bought = await ReceiptsApi.BoughtAsync(ledger, state, ct);
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("iss", gateway.Url.GetLeftPart(UriPartial.Authority));
            ReceiptsApi.WriteFields(json, state, gateway.Sandbox, bought);
            if (usage is not null) ReceiptsApi.WriteUsage(json, usage);
            else
            {
                json.WriteStartObject("usage");
                json.WriteNumber("calls", 1);
                json.WriteEndObject();
            }
            if (remaining is { } left) ReceiptsApi.WriteMoney(json, "remaining", left);
            json.WriteEndObject();
        }
        return keys.Sign(buffer.WrittenSpan, Type);
    }
}
