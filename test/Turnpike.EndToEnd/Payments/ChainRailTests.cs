using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Catalog;
using Turnpike.Demo;
using Turnpike.EndToEnd.Harness;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Evm;
using Turnpike.Payments.X402;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.X402;
using Turnpike.Storage;

namespace Turnpike.EndToEnd.Payments;

/// <summary>The chain rail on a real node, without a gateway around it: what a fake cannot prove.</summary>
public sealed class ChainRailTests(Chain chain) : IAsyncLifetime, IVerifierLimit
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("turnpike-");
    private Parties parties = null!;
    private Database database = null!;

    public async ValueTask InitializeAsync()
    {
        parties = await Parties.FreshAsync(chain);
        database = Database.Open(new StorageOptions("sqlite:" + Path.Combine(folder.FullName, "books.db")), TimeProvider.System);
    }

    public ValueTask DisposeAsync()
    {
        database.Dispose();
        folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    public bool TryAcquire(out TimeSpan retryAfter) => (retryAfter = TimeSpan.Zero) == TimeSpan.Zero;

    [Fact]
    public async Task Twenty_payments_at_once_all_settle()
    {
        var rail = Rail(chain.Require().Rpc);
        var settled = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ => await rail.Method.SettleAsync(await CaptureAsync(rail), default)));
        settled.ShouldAllBe(s => s is Settlement.Settled);
        settled.Cast<Settlement.Settled>().Select(s => s.Reference).Distinct().Count().ShouldBe(20);
        (await chain.BalanceAsync(parties.Merchant)).ShouldBe((UInt256)200_000UL);
    }

    [Fact]
    public async Task Settling_twice_takes_the_money_once_and_a_second_hold_of_it_is_refused()
    {
        var rail = Rail(chain.Require().Rpc);
        var (payment, captured) = await PayAsync(rail);
        var first = await rail.Method.SettleAsync(captured, default);
        (await rail.Method.SettleAsync(captured with { Status = HoldStatus.Unknown }, default)).ShouldBe(first.ShouldBeOfType<Settlement.Settled>());
        (await rail.Method.VerifyAsync(payment, default)).ShouldBeOfType<Refusal>().Code.ShouldBe(ErrorCodes.NonceAlreadyUsed);
        (await chain.BalanceAsync(parties.Merchant)).ShouldBe((UInt256)10_000UL);
    }

    [Fact]
    public async Task Who_settles_our_payment_before_us_has_paid_us()
    {
        var rail = Rail(chain.Require().Rpc);
        var captured = await CaptureAsync(rail);
        var observer = Parties.Account();
        await chain.Require().GiveGasAsync(observer, default);
        var theirs = await rail.Chains.Of(rail.Settings with { SettlerKey = new Secret(observer.Key) }).Facilitator.SettleAsync(AuthorizationTerms.FromJson(captured.Hold.Terms)!, null, captured.Created, again: false, default);
        var settled = theirs.ShouldBeOfType<Settlement.Settled>();
        (await rail.Method.SettleAsync(captured, default)).ShouldBe(settled);
    }

    [Fact]
    public async Task A_broadcast_whose_answer_is_lost_is_unknown_and_then_found()
    {
        await using var proxy = await RpcProxy.StartAsync(chain.Require().Rpc);
        var rail = Rail(proxy.Url);
        var captured = await CaptureAsync(rail);
        proxy.Trouble("eth_sendRawTransaction", RpcTrouble.LostAfter);
        var unknown = (await rail.Method.SettleAsync(captured, default)).ShouldBeOfType<Settlement.Unknown>();
        proxy.Heal();
        (await rail.Method.SettleAsync(captured with { Status = HoldStatus.Unknown, Reference = unknown.Reference }, default)).ShouldBeOfType<Settlement.Settled>().Reference.ShouldBe(unknown.Reference);
        (await chain.BalanceAsync(parties.Merchant)).ShouldBe((UInt256)10_000UL);
    }

    [Fact]
    public async Task A_number_that_was_never_used_does_not_hold_up_those_behind_it()
    {
        var rail = Rail(chain.Require().Rpc);
        await CaptureAsync(rail); // prepared, and then forgotten
        var settled = await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ => await rail.Method.SettleAsync(await CaptureAsync(rail), default)));
        settled.ShouldAllBe(s => s is Settlement.Settled);
    }

    [Fact]
    public async Task The_chain_is_as_configured_and_one_that_is_not_is_not_offered()
    {
        var rail = Rail(chain.Require().Rpc);
        (await rail.Chains.Of(rail.Settings).Facilitator.CheckAsync(default)).ShouldBeNull();
        var wrong = rail.Settings with { Asset = rail.Settings.Asset with { Version = "1" } };
        (await rail.Chains.Of(wrong).Facilitator.CheckAsync(default)).ShouldNotBeNull().ShouldContain("version '2'");
    }

    private sealed record Working(ExactMethod Method, EvmChains Chains, ChainSettings Settings, ServiceCatalog Catalog);

    private Working Rail(Uri rpc)
    {
        var settings = new ChainSettings
        {
            Network = "eip155:84532",
            ChainId = 84532,
            Rpc = rpc,
            Asset = new AssetSettings(LocalChain.Dollar, "USDC", "2", 6, "USD"),
            PayTo = Address.Parse(parties.Merchant.Address),
            SettlerKey = new Secret(parties.Settler.Key),
        };
        var payments = new PaymentSettings { Chains = [settings], X402 = new X402Settings([settings]) };
        var chains = new EvmChains(() => payments, GuardedHttp.Create, new ChainNonceStore(database, Turnpike.Storage.Nodes.NodeLease.Alone(), TimeProvider.System), new RailTimings(), TimeProvider.System, NullLoggerFactory.Instance);
        return new Working(new ExactMethod(chains, new AuthorizationRail(chains, this), new Turnpike.Pricing.PriceBook(TimeProvider.System), TimeProvider.System), chains, settings, new ServiceCatalog("v1", new GatewaySettings(), [], new SettingsBag([payments])));
    }

    private async Task<HoldState> CaptureAsync(Working rail) => (await PayAsync(rail)).Captured;

    /// <summary>Offers, signs, verifies and prepares; the books are left out.</summary>
    private async Task<(Payment Payment, HoldState Captured)> PayAsync(Working rail)
    {
        var now = TimeProvider.System.GetUtcNow();
        var call = new Call
        {
            Catalog = rail.Catalog,
            Operation = new Operation { Service = "weather", Name = "forecast", Method = "GET", Path = PathPattern.Parse("/forecast", out _)! },
            Method = "GET",
            Target = RequestTarget.Canonicalise("/forecast"),
            Headers = new HeaderDictionary(),
            Address = "127.0.0.1",
            Secure = false,
            Loopback = true,
            Now = now,
            Quote = new Quote(new Money(10_000_000, "USD"), "call", "v1", now.AddMinutes(5)),
        };
        var terms = (PaymentRequirements)rail.Method.Offer(call).Single().Terms!;
        var authorization = new Authorization(Address.Parse(parties.Payer.Address), rail.Settings.PayTo, 10_000UL, 0UL, (ulong)now.ToUnixTimeSeconds() + 300, RandomNumberGenerator.GetBytes(32));
        var proof = new PaymentPayload { X402Version = 2, Accepted = terms, Payload = new ExactEvmPayload(authorization, ExactSigner.Sign(authorization, parties.Payer)).ToJson() };
        var payment = new Payment(call, static _ => default) { Credential = new X402Credential { Digest = "d", Method = rail.Method.Name, Version = 2, V2 = proof } };
        rail.Method.Identify(payment).ShouldBeNull();
        (await rail.Method.VerifyAsync(payment, default)).ShouldBeNull();
        var hold = new Hold
        {
            Id = payment.HoldId!, Legs = payment.Legs, Binding = "b", Receipt = payment.ReceiptId, Correlation = "c", Operation = "forecast", Payer = payment.Payer!,
            Method = rail.Method.Name, PriceVersion = "v1", Request = "GET /forecast", Terms = payment.Terms, Expires = payment.Expires,
        };
        var held = new HoldState(hold, HoldStatus.Captured, payment.Ceiling, payment.Ceiling, null, null, null, null, 1, "i", now, now);
        return (payment, held with { Broadcast = await rail.Method.PrepareAsync(held, payment.Ceiling, default) });
    }
}
