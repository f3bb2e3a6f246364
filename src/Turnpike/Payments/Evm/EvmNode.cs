using System.Globalization;
using System.Text.Json;
using Turnpike.Protocols.Evm;

namespace Turnpike.Payments.Evm;

/// <summary>A mined transaction as its node tells it.</summary>
internal sealed record EvmReceipt(string Hash, ulong Block, bool Succeeded, IReadOnlyList<EvmLog> Logs);

/// <summary>An event a contract wrote.</summary>
internal sealed record EvmLog(Address Contract, IReadOnlyList<string> Topics, string Data, string Transaction);

/// <summary>A block's number and its unix second.</summary>
internal readonly record struct EvmBlock(ulong Number, ulong Timestamp);

/// <summary>What became of handing a transaction to the node.</summary>
internal enum Handed
{
    Taken,
    AlreadyKnown,
    NonceTooLow,
    Underpriced,
    NoGasMoney,
    Refused,
}

/// <summary>A node, asked for what payments need. Every answer is checked; a silent or senseless one throws <see cref="NodeSilentException"/>.</summary>
internal sealed class EvmNode(JsonRpcClient rpc)
{
    public async ValueTask<ulong> ChainIdAsync(CancellationToken ct) => Quantity(await AskAsync("eth_chainId", static _ => { }, ct));

    /// <summary>What a contract answers, or why it reverted.</summary>
    public async ValueTask<(byte[] Data, RpcError? Revert)> CallAsync(Address contract, byte[] data, CancellationToken ct, Address? from = null, string block = "latest")
    {
        var (result, error) = await rpc.CallAsync("eth_call", json =>
        {
            WriteCall(json, contract, data, from);
            json.WriteStringValue(block);
        }, ct);
        if (error is { IsRevert: true }) return ([], error);
        return (Bytes(Sound("eth_call", result, error)), null);
    }

    public async ValueTask<bool> HasCodeAsync(Address account, CancellationToken ct) =>
        Bytes(await AskAsync("eth_getCode", json => { json.WriteStringValue(account.ToLowerHex()); json.WriteStringValue("latest"); }, ct)).Length > 0;

    /// <summary>How many transactions an account has sent, as of <c>latest</c> or <c>pending</c>.</summary>
    public async ValueTask<ulong> TransactionCountAsync(Address account, string block, CancellationToken ct) =>
        Quantity(await AskAsync("eth_getTransactionCount", json => { json.WriteStringValue(account.ToLowerHex()); json.WriteStringValue(block); }, ct));

    /// <summary>The gas a call would take; null when it would revert.</summary>
    public async ValueTask<ulong?> EstimateGasAsync(Address contract, byte[] data, Address from, CancellationToken ct)
    {
        var (result, error) = await rpc.CallAsync("eth_estimateGas", json => WriteCall(json, contract, data, from), ct);
        return error is { IsRevert: true } ? null : Quantity(Sound("eth_estimateGas", result, error));
    }

    public async ValueTask<EvmBlock> BlockAsync(string numberOrTag, CancellationToken ct)
    {
        var block = await AskAsync("eth_getBlockByNumber", json => { json.WriteStringValue(numberOrTag); json.WriteBooleanValue(false); }, ct);
        return new EvmBlock(Quantity(Member(block, "number")), Quantity(Member(block, "timestamp")));
    }

    /// <summary>The next block's base fee and the median tip of the last ones; where a node has no fee history, its gas price without a tip.</summary>
    public async ValueTask<(UInt128 BaseFee, UInt128 Tip)> FeesAsync(CancellationToken ct)
    {
        var (history, error) = await rpc.CallAsync("eth_feeHistory", static json =>
        {
            json.WriteStringValue("0x5");
            json.WriteStringValue("latest");
            json.WriteStartArray();
            json.WriteNumberValue(50);
            json.WriteEndArray();
        }, ct);
        if (error is not null) return (Wide(await AskAsync("eth_gasPrice", static _ => { }, ct)), 0);
        var fees = Member(history, "baseFeePerGas");
        if (fees.ValueKind != JsonValueKind.Array || fees.GetArrayLength() == 0) throw Senseless("eth_feeHistory");
        UInt128[] tips = history.TryGetProperty("reward", out var rewards) && rewards.ValueKind == JsonValueKind.Array
            ? [.. rewards.EnumerateArray().Where(static r => r.ValueKind == JsonValueKind.Array && r.GetArrayLength() > 0).Select(static r => Wide(r[0])).Order()]
            : [];
        return (Wide(fees[fees.GetArrayLength() - 1]), tips.Length == 0 ? 0 : tips[tips.Length / 2]);
    }

    public async ValueTask<(Handed Outcome, string Text)> SendAsync(string raw, CancellationToken ct)
    {
        var (_, error) = await rpc.CallAsync("eth_sendRawTransaction", json => json.WriteStringValue(raw), ct);
        return error is null ? (Handed.Taken, "") : (Judge(error), error.Text);
    }

    /// <summary>The receipt, or null while the transaction is not in a block.</summary>
    public async ValueTask<EvmReceipt?> ReceiptAsync(string hash, CancellationToken ct)
    {
        var receipt = await AskAsync("eth_getTransactionReceipt", json => json.WriteStringValue(hash), ct);
        if (receipt.ValueKind == JsonValueKind.Null) return null;
        return new EvmReceipt(hash, Quantity(Member(receipt, "blockNumber")), Quantity(Member(receipt, "status")) == 1, Logs(Member(receipt, "logs")));
    }

    public async ValueTask<IReadOnlyList<EvmLog>> LogsAsync(Address contract, IReadOnlyList<string> topics, ulong from, ulong to, CancellationToken ct) =>
        Logs(await AskAsync("eth_getLogs", json =>
        {
            json.WriteStartObject();
            json.WriteString("address", contract.ToLowerHex());
            json.WriteString("fromBlock", Quantity(from));
            json.WriteString("toBlock", Quantity(to));
            json.WriteStartArray("topics");
            foreach (var topic in topics) json.WriteStringValue(topic);
            json.WriteEndArray();
            json.WriteEndObject();
        }, ct));

    /// <summary>A number as the node writes it: <c>0x</c> and digits without leading zeros.</summary>
    public static string Quantity(ulong number) => "0x" + number.ToString("x", CultureInfo.InvariantCulture);

    private async ValueTask<JsonElement> AskAsync(string method, Action<Utf8JsonWriter> parameters, CancellationToken ct)
    {
        var (result, error) = await rpc.CallAsync(method, parameters, ct);
        return Sound(method, result, error);
    }

    private static void WriteCall(Utf8JsonWriter json, Address contract, byte[] data, Address? from)
    {
        json.WriteStartObject();
        if (from is { } sender) json.WriteString("from", sender.ToLowerHex());
        json.WriteString("to", contract.ToLowerHex());
        json.WriteString("data", Hex.Encode(data));
        json.WriteEndObject();
    }

    /// <summary>Nodes word these differently; the words are those of geth, erigon, nethermind, reth and anvil.</summary>
    private static Handed Judge(RpcError error)
    {
        bool Says(string part) => error.Message.Contains(part, StringComparison.OrdinalIgnoreCase);
        if (Says("already known") || Says("already imported") || Says("known transaction") || Says("AlreadyKnown")) return Handed.AlreadyKnown;
        if (Says("nonce too low") || Says("OldNonce") || Says("nonce is too low")) return Handed.NonceTooLow;
        if (Says("underpriced") || Says("fee too low") || Says("less than block base fee") || Says("FeeTooLow")) return Handed.Underpriced;
        return Says("insufficient funds") || Says("InsufficientFunds") ? Handed.NoGasMoney : Handed.Refused;
    }

    private static JsonElement Sound(string method, JsonElement result, RpcError? error) =>
        error is null ? result : throw new NodeSilentException($"{method}: {error.Text} ({error.Code})");

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : throw Senseless(name);

    private static ulong Quantity(JsonElement element) =>
        element.ValueKind == JsonValueKind.String && element.GetString() is ['0', 'x', _, ..] text && ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Senseless("a number");

    private static UInt128 Wide(JsonElement element) =>
        element.ValueKind == JsonValueKind.String && element.GetString() is ['0', 'x', _, ..] text && UInt128.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Senseless("a number");

    private static byte[] Bytes(JsonElement element) =>
        (element.ValueKind == JsonValueKind.String ? Hex.Decode(element.GetString()) : null) ?? throw Senseless("bytes");

    private static List<EvmLog> Logs(JsonElement logs)
    {
        if (logs.ValueKind != JsonValueKind.Array) throw Senseless("logs");
        var read = new List<EvmLog>(logs.GetArrayLength());
        foreach (var log in logs.EnumerateArray())
        {
            if (!Address.TryParse(Text(log, "address"), out var contract)) throw Senseless("a log's address");
            read.Add(new EvmLog(contract, [.. Member(log, "topics").EnumerateArray().Select(static t => t.GetString() ?? "")], Text(log, "data"), Text(log, "transactionHash")));
        }
        return read;
    }

    private static string Text(JsonElement element, string name) => Member(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : throw Senseless(name);

    private static NodeSilentException Senseless(string what) => new($"The node's answer lacks {what}.");
}
