using System.Globalization;
using System.Net;
using System.Text.Json;
using Turnpike.Audit;
using Turnpike.Client;
using Turnpike.Ledger;
using Turnpike.Protocols.Evm;

namespace Turnpike.Demo;

/// <summary>The walk: six things an agent and an owner do with a gateway, each checked, each told. What does not come true is an exception.</summary>
internal sealed class Walk(DemoWorld world, Narrator narrator)
{
    private const string X402Title = "One payment by x402, settled on chain", MppTitle = "One payment by MPP (evm charge), on the same chain";
    private static readonly string[] Cities = ["oslo", "lima", "quito", "hanoi"];

    private readonly List<PaymentReceipt> receipts = [];
    private readonly IWallet key = new EvmWallet(TestAccounts.Payer.Key, KnownAssets.Find(LocalChain.ChainId, LocalChain.Dollar)!);
    private readonly Budget budget = new("5.00 USD");

    public async Task RunAsync(CancellationToken ct)
    {
        await narrator.StepAsync("An agent calls without paying, and reads the terms", () => UnpaidAsync(ct));
        await narrator.StepAsync("It buys a token for 0.03 USD, and spends it call by call until nothing is left", () => TokenAsync(ct));
        if (world.Chain is { } chain)
        {
            await narrator.StepAsync(X402Title, () => OnChainAsync(chain, PaymentProtocols.X402, "/forecast/cairo", null, 10_000, ct));
            await narrator.StepAsync(MppTitle, () => OnChainAsync(chain, PaymentProtocols.Mpp, "/reports", """{"about":"the weather in Cairo"}""", 1_000_000, ct));
        }
        else
        {
            narrator.Skip(X402Title, "there is no local chain on this machine.");
            narrator.Skip(MppTitle, "there is no local chain on this machine.");
        }
        await narrator.StepAsync("The receipts, for whoever holds their ids", () => ReceiptsAsync(ct));
        await narrator.StepAsync("The owner's books", () => BooksAsync(ct));
    }

    private async Task UnpaidAsync(CancellationToken ct)
    {
        using var stranger = new Agent(world.Gateway.Url);
        (await stranger.CallAsync("/status", ct)).Expect(HttpStatusCode.OK, "A free operation");
        var terms = (await stranger.CallAsync("/forecast/berlin", ct)).Expect(HttpStatusCode.PaymentRequired, "An unpaid call");
        narrator.Fact("GET", "/forecast/berlin → 402 Payment Required");
        narrator.Fact("price", $"{terms.Text("price", "amount")} {terms.Text("price", "currency")} per {terms.Text("price", "unit")}: {terms.Text("resource", "description")}");
        foreach (var offer in terms.Body.GetProperty("offers").EnumerateArray())
            narrator.Fact("offer", $"{Member(offer, "protocol")} by {Member(offer, "method")}{(Member(offer, "network") is { } network ? $" on {network}" : "")}, in the header {offer.GetProperty("send").GetProperty("header").GetString()}");
        var challenges = terms.Headers.Where(header => header.Key.Equals("WWW-Authenticate", StringComparison.OrdinalIgnoreCase) || header.Key.StartsWith("PAYMENT-", StringComparison.OrdinalIgnoreCase)).ToList();
        foreach (var (name, value) in challenges) narrator.Fact("header", $"{name}: {(value.Length <= 60 ? value : value[..60] + " …")}");
        Check(challenges.Count == (world.Chain is null ? 1 : 3), $"The terms come in {challenges.Count} challenge headers.");
    }

    private async Task TokenAsync(CancellationToken ct)
    {
        var token = await BuyAsync(world, "0.03 USD", ct);
        narrator.Fact("bought", $"{token[..12]}… at the sandbox checkout, with test money");
        using var agent = Pays(new TokenWallet(token, world.Gateway.Url), PaymentProtocols.Prepaid);
        for (var call = 0; call < 3; call++)
        {
            var reply = (await agent.CallAsync($"/forecast/{Cities[call]}", ct)).Expect(HttpStatusCode.OK, "A call paid with the token");
            var today = reply.Body.GetProperty("days")[0];
            var paid = Paid(reply);
            narrator.Fact(Cities[call], $"{Member(today, "sky")}, up to {today.GetProperty("high").GetInt32().ToString(CultureInfo.InvariantCulture)} °C; paid {paid.Amount}, left {paid.Remaining}");
        }
        var refused = (await agent.CallAsync($"/forecast/{Cities[3]}", ct)).Expect(HttpStatusCode.PaymentRequired, "A call beyond the token's budget");
        Check(refused.Attempt is not null && refused.Text("reason") == "token-exhausted", $"The exhausted token is refused for '{refused.Text("reason")}'.");
        narrator.Fact(Cities[3], $"402 again, reason {refused.Text("reason")}: {refused.Text("detail")} {refused.Text("hint")}");
    }

    private async Task OnChainAsync(LocalChain chain, string protocol, string path, string? body, long price, CancellationToken ct)
    {
        using var agent = Pays(key, protocol);
        var before = await EarnedAsync(chain, ct);
        var paid = Paid((await agent.CallAsync(path, ct, body)).Expect(HttpStatusCode.OK, $"A call paid by {protocol}"));
        var after = await EarnedAsync(chain, ct);
        Check(paid.Protocol == protocol && paid.Reference is { Length: 66 }, $"The receipt of {protocol} names no transaction.");
        Check(after - before == price, $"The payee has {Dollars(before)} before and {Dollars(after)} after a payment of {paid.Amount}.");
        narrator.Fact("called", $"{(body is null ? "GET" : "POST")} {path} for {paid.Amount}");
        narrator.Fact("transaction", paid.Reference!);
        narrator.Fact("payee", $"{TestAccounts.Merchant.Address} has {Dollars(before)} before, {Dollars(after)} after");
        narrator.Fact("budget", $"{budget.Left} of {budget.Limit} left to the agent");
    }

    private async Task ReceiptsAsync(CancellationToken ct)
    {
        using var anyone = new Agent(world.Gateway.Url);
        foreach (var paid in receipts)
        {
            var receipt = await DeliveredAsync(anyone, paid, ct);
            Check(Amount.TryParse(receipt.Text("amount", "amount"), receipt.Text("amount", "currency"), out var amount) && amount == paid.Amount, $"{paid.Receipt} tells another amount.");
            narrator.Fact(receipt.Text("status")!, $"{receipt.Text("amount", "amount")} USD by {receipt.Text("method")}, {receipt.Text("request")} {paid.Receipt!.AbsolutePath}");
        }
    }

    /// <summary>The last byte reaches the caller a moment before the books hear of it.</summary>
    private static async Task<Agent.Reply> DeliveredAsync(Agent anyone, PaymentReceipt paid, CancellationToken ct)
    {
        for (var look = 0; ; look++)
        {
            var receipt = (await anyone.CallAsync(paid.Receipt!.AbsolutePath, ct)).Expect(HttpStatusCode.OK, "A receipt");
            if (receipt.Text("status") == "delivered") return receipt;
            Check(look < 40, $"The receipt {paid.Receipt} says '{receipt.Text("status")}'.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), ct);
        }
    }

    private async Task BooksAsync(CancellationToken ct)
    {
        var (ledger, trail) = (world.Gateway.App.Services.GetRequiredService<ILedger>(), world.Gateway.App.Services.GetRequiredService<IAuditTrail>());
        await trail.FlushAsync(ct);
        var books = await ledger.VerifyAsync(ct);
        foreach (var total in books.Totals) narrator.Fact(total.Role, total.Sum.ToString());
        Check(books.Balanced, string.Join(' ', books.Findings));
        var earned = books.Totals.Where(total => total is { Role: "revenue", Sum.Currency: "USD" }).Sum(total => total.Sum.Units);
        Check(earned == receipts.Sum(paid => paid.Amount.Nano), $"The owner earned {new Money(earned, "USD")}, which is not what the agent paid.");
        narrator.Fact("books", $"balanced: {books.Entries} entries of {books.Holds} payments and the tokens sum to zero, {books.OpenHolds} payments are open");
        var audit = await trail.VerifyAsync(ct);
        Check(audit.Intact, audit.Broken?.Finding ?? "The audit trail is broken.");
        narrator.Fact("audit", $"intact: {audit.Events} events, head {audit.Chains[0].Head[..16]}…");
    }

    /// <summary>A token for forecasts, bought as an agent buys it.</summary>
    public static async Task<string> BuyAsync(DemoWorld world, string budget, CancellationToken ct)
    {
        using var buyer = new Agent(world.Gateway.Url);
        var bought = (await buyer.CallAsync("/buy/forecast", ct, $$"""{"budget":"{{budget}}"}""")).Expect(HttpStatusCode.Created, "The checkout");
        return bought.Text("token") ?? throw new DemoException("The checkout gave no token.");
    }

    private Agent Pays(IWallet wallet, string protocol) => new(world.Gateway.Url, new PayingOptions { Budget = budget, Wallets = [wallet], Prefer = [protocol] });

    private PaymentReceipt Paid(Agent.Reply reply)
    {
        if (reply.Payment is not { Receipt: not null } paid) throw new DemoException("A paid answer came without a receipt.");
        receipts.Add(paid);
        return paid;
    }

    private static async Task<long> EarnedAsync(LocalChain chain, CancellationToken ct) => (long)(await chain.BalanceAsync(TestAccounts.Merchant.Address, ct)).Low;

    private static string Dollars(long millionths) => $"{new Money(checked(millionths * 1000), "USD")}";

    private static string? Member(JsonElement of, string name) => of.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;

    private static void Check(bool holds, string otherwise)
    {
        if (!holds) throw new DemoException(otherwise);
    }
}
