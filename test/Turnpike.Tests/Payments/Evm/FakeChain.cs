using System.Collections.Concurrent;
using System.Globalization;
using HttpStatusCode = System.Net.HttpStatusCode;
using System.Text;
using System.Text.Json;
using Turnpike.Protocols.Evm;

namespace Turnpike.Tests.Payments.Evm;

/// <summary>A node with one token on a chain of its own: mines at once unless told not to, in order of numbers, and fails on command.</summary>
internal sealed class FakeChain(TimeProvider time) : HttpMessageHandler
{
    public const ulong ChainId = 84532;
    private readonly Lock door = new();
    private readonly SortedDictionary<ulong, (string Hash, RawTransaction Tx)> pool = [];
    private readonly Dictionary<string, object> receipts = [];
    private readonly List<(ulong Block, string[] Topics, string Data, string Hash)> logs = [];
    private ulong block = 100;
    private ulong mined;

    public FakeToken Token { get; } = new(ChainId);

    public ulong ReportedChainId { get; set; } = ChainId;

    /// <summary>What was asked, in order.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    /// <summary>Every raw transaction the node was given.</summary>
    public ConcurrentQueue<string> Given { get; } = [];

    /// <summary>Called before each method; throws to be silent, or returns an error object.</summary>
    public Func<string, string?>? Interrupt { get; set; }

    public bool Mining { get; set; } = true;

    /// <summary>Transactions bidding less than this stay in the pool.</summary>
    public UInt128 LeastFee { get; set; }

    public ulong Mined => mined;

    public int Transfers => logs.Count(l => l.Topics[0] == Erc3009.TransferTopic);

    public static string? Down(string method) => throw new HttpRequestException(HttpRequestError.ConnectionError, method);

    public void Mine(int blocks = 1)
    {
        lock (door)
        {
            block += (ulong)blocks;
            MinePool();
        }
    }

    /// <summary>Somebody else sends what he has seen: the payer's authorization, at his own cost.</summary>
    public string SettleByOther(Authorization authorization, byte[] signature, string? hash = null)
    {
        lock (door) return Include(hash ?? "0x" + new string('e', 64), Token.Address, Erc3009.TransferWithAuthorization(authorization, signature));
    }

    /// <summary>The signer's key is used elsewhere too: his next number goes to a transaction that is not ours.</summary>
    public void UseUpNumber()
    {
        lock (door)
        {
            mined++;
            MinePool();
        }
    }

    public void Cancel(Authorization authorization)
    {
        lock (door)
        {
            Token.Used.Add(FakeToken.Key(authorization.From, authorization.Nonce));
            logs.Add((++block, [Hex.Encode(Keccak.Hash("AuthorizationCanceled(address,bytes32)"u8)), Erc3009.Topic(authorization.From), Hex.Encode(authorization.Nonce)], "0x", "0x" + new string('c', 64)));
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var question = JsonDocument.Parse(await request.Content!.ReadAsByteArrayAsync(cancellationToken));
        var method = question.RootElement.GetProperty("method").GetString()!;
        Asked.Enqueue(method);
        var error = Interrupt?.Invoke(method);
        string answer;
        lock (door) answer = error ?? Answer(method, question.RootElement.GetProperty("params"));
        var body = $$"""{"jsonrpc":"2.0","id":{{question.RootElement.GetProperty("id").GetInt64()}},{{answer}}}""";
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
    }

    private ulong Now => (ulong)time.GetUtcNow().ToUnixTimeSeconds();

    private string Answer(string method, JsonElement p) => method switch
    {
        "eth_chainId" => Result(ReportedChainId),
        "eth_getCode" => $"\"result\":\"{(HasCode(p[0].GetString()!) ? "0x60" : "0x")}\"",
        "eth_call" => Call(p[0]),
        "eth_estimateGas" => Result(80_000),
        "eth_feeHistory" => """ "result":{"oldestBlock":"0x1","baseFeePerGas":["0x3b9aca00","0x3b9aca00"],"gasUsedRatio":[0.5],"reward":[["0x5f5e100"]]} """,
        "eth_getTransactionCount" => Result(p[1].GetString() == "latest" ? mined : Pending()),
        "eth_getBlockByNumber" => Block(p[0].GetString()!),
        "eth_sendRawTransaction" => Take(p[0].GetString()!),
        "eth_getTransactionReceipt" => $"\"result\":{(receipts.TryGetValue(p[0].GetString()!, out var r) ? r : "null")}",
        "eth_getLogs" => Logs(p[0]),
        _ => Error(-32601, "method not found"),
    };

    private bool HasCode(string address) => Address.Parse(address) is var account && (account == Token.Address ? Token.Deployed : Token.Wallets.ContainsKey(account));

    private string Call(JsonElement call)
    {
        var to = Address.Parse(call.GetProperty("to").GetString()!);
        var data = Hex.Decode(call.GetProperty("data").GetString())!;
        if (Token.Wallets.TryGetValue(to, out var accepts)) return $"\"result\":\"{Hex.Encode([.. accepts ? new byte[] { 0x16, 0x26, 0xba, 0x7e } : [0xff, 0xff, 0xff, 0xff], .. new byte[28]])}\"";
        if (to != Token.Address || !Token.Deployed) return "\"result\":\"0x\"";
        var (result, revert) = Token.Read(data, Now);
        return revert is null ? $"\"result\":\"{Hex.Encode(result)}\"" : Error(3, "execution reverted: " + revert);
    }

    private string Take(string raw)
    {
        Given.Enqueue(raw);
        var tx = RawTransaction.Decode(Hex.Decode(raw)!);
        var hash = Hex.Encode(Keccak.Hash(Hex.Decode(raw)!));
        if (receipts.ContainsKey(hash) || tx.Nonce < mined) return receipts.ContainsKey(hash) ? Error(-32000, "already known") : Error(-32000, "nonce too low: next nonce " + mined);
        if (pool.TryGetValue(tx.Nonce, out var waiting))
        {
            if (waiting.Hash == hash) return Error(-32000, "already known");
            if (tx.MaxFee < waiting.Tx.MaxFee + waiting.Tx.MaxFee / 10) return Error(-32000, "replacement transaction underpriced");
        }
        pool[tx.Nonce] = (hash, tx);
        MinePool();
        return $"\"result\":\"{hash}\"";
    }

    private void MinePool()
    {
        while (Mining && pool.TryGetValue(mined, out var next) && next.Tx.MaxFee >= LeastFee)
        {
            pool.Remove(mined++);
            Include(next.Hash, next.Tx.To, next.Tx.Data);
        }
    }

    private string Include(string hash, Address to, byte[] data)
    {
        block++;
        var written = new List<(string[] Topics, string Data)>();
        string? error = null;
        if (to == Token.Address && data.Length > 0)
        {
            (var moved, error) = Token.Run(data, Now);
            if (moved is not null)
            {
                written.Add(([Erc3009.AuthorizationUsedTopic, Erc3009.Topic(moved.From), Hex.Encode(moved.Nonce)], "0x"));
                written.Add(([Erc3009.TransferTopic, Erc3009.Topic(moved.From), Erc3009.Topic(moved.To)], Hex.Encode(Abi.Word(moved.Value))));
            }
        }
        foreach (var (topics, text) in written) logs.Add((block, topics, text, hash));
        receipts[hash] = $$"""{"transactionHash":"{{hash}}","blockNumber":"{{Quantity(block)}}","status":"{{(error is null ? "0x1" : "0x0")}}","logs":[{{string.Join(',', written.Select(w => Log(w.Topics, w.Data, hash)))}}]}""";
        return hash;
    }

    private string Logs(JsonElement filter)
    {
        ulong At(string name) => ulong.Parse(filter.GetProperty(name).GetString()!.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var wanted = filter.GetProperty("topics").EnumerateArray().Select(t => t.GetString()).ToArray();
        var found = logs.Where(l => l.Block >= At("fromBlock") && l.Block <= At("toBlock") && l.Topics.Length >= wanted.Length && wanted.Zip(l.Topics).All(z => z.First == z.Second));
        return $"\"result\":[{string.Join(',', found.Select(l => Log(l.Topics, l.Data, l.Hash)))}]";
    }

    private string Log(string[] topics, string data, string hash) =>
        $$"""{"address":"{{Token.Address}}","topics":[{{string.Join(',', topics.Select(t => $"\"{t}\""))}}],"data":"{{data}}","transactionHash":"{{hash}}"}""";

    /// <summary>Blocks come every second; the latest has the clock's time.</summary>
    private string Block(string which)
    {
        var number = which == "latest" ? block : ulong.Parse(which.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return $$"""  "result":{"number":"{{Quantity(number)}}","timestamp":"{{Quantity(Now - (block - number))}}"} """;
    }

    private ulong Pending()
    {
        var next = mined;
        while (pool.ContainsKey(next)) next++;
        return next;
    }

    private static string Result(ulong number) => $"\"result\":\"{Quantity(number)}\"";

    private static string Quantity(ulong number) => "0x" + number.ToString("x", CultureInfo.InvariantCulture);

    public static string Error(int code, string message) => $$""" "error":{"code":{{code}},"message":"{{message}}"} """;
}
