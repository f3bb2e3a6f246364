using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Payments.Evm;
using Turnpike.Payments.Mpp;
using Turnpike.Payments.Stripe;
using Turnpike.Payments.X402;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Payments.Evm;

namespace Turnpike.Tests.Payments;

/// <summary>Every rail on a simulated internet: one fake node, or whatever handler a test brings.</summary>
internal sealed class Rails : IVerifierLimit
{
    public static readonly byte[] PayerKey = Hex.Decode("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")!;
    public static readonly Address Payer = Secp256k1.AddressOf(PayerKey);
    private byte fill;

    public Rails(HttpMessageHandler? internet = null, Func<ChainSettings, ChainSettings>? change = null, StripeSettings? stripe = null)
    {
        Time = new LeapingTime(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
        Node = new FakeChain(Time);
        Node.Token.Balances[Payer] = 1_000_000_000;
        Chain = new ChainSettings
        {
            Network = "eip155:84532",
            ChainId = FakeChain.ChainId,
            Rpc = new Uri("http://node.test/rpc"),
            Asset = new AssetSettings(Node.Token.Address, "USDC", "2", 6, "USD"),
            PayTo = Address.Parse("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
            SettlerKey = new Secret("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
        };
        Chain = change?.Invoke(Chain) ?? Chain;
        Settings = new PaymentSettings { Chains = [Chain], X402 = new X402Settings([Chain]), Mpp = new MppSettings([new Secret(new string('s', 32))]) { EvmChains = [Chain], Stripe = stripe } };
        Catalog = new ServiceCatalog("v1", new GatewaySettings(), [], new SettingsBag([Settings]));
        HttpClients clients = (url, timeout, most) => new HttpClient(url.Host == "node.test" ? Node : internet!, disposeHandler: false) { Timeout = timeout, MaxResponseContentBufferSize = most };
        Chains = new EvmChains(() => Settings, clients, new MemoryNonces(), new RailTimings(), Time, NullLoggerFactory.Instance);
        var rail = new AuthorizationRail(Chains, this);
        (Exact, Evm, Stripe) = (new ExactMethod(Chains, rail, new Turnpike.Pricing.PriceBook(Time), Time), new EvmChargeMethod(Chains, rail, Time), new StripeMethod(() => Settings, clients, Time));
        Watch = new ChainWatch(Chains, Time, NullLogger<ChainWatch>.Instance);
    }

    public LeapingTime Time { get; }

    public FakeChain Node { get; }

    public ChainSettings Chain { get; }

    public PaymentSettings Settings { get; }

    public ServiceCatalog Catalog { get; }

    public EvmChains Chains { get; }

    public ExactMethod Exact { get; }

    public EvmChargeMethod Evm { get; }

    public StripeMethod Stripe { get; }

    public ChainWatch Watch { get; }

    public bool Busy { get; set; }

    public long Now => Time.GetUtcNow().ToUnixTimeSeconds();

    public bool TryAcquire(out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.FromSeconds(1);
        return !Busy;
    }

    public Call Call(string price = "0.01 USD")
    {
        Money.TryParse(price, out var amount).ShouldBeTrue();
        return new Call
        {
            Catalog = Catalog,
            Operation = new Operation { Service = "weather", Name = "forecast", Method = "GET", Path = PathPattern.Parse("/forecast/{city}", out _)! },
            Method = "GET",
            Target = RequestTarget.Canonicalise("/forecast/paris"),
            Headers = new HeaderDictionary(),
            Address = "192.0.2.1",
            Secure = true,
            Loopback = false,
            Now = Time.GetUtcNow(),
            Quote = new Quote(amount, "call", "v1", Time.GetUtcNow().AddMinutes(5)),
        };
    }

    public PaymentRequirements Terms(string price = "0.01 USD") => (PaymentRequirements)Exact.Offer(Call(price)).Single().Terms!;

    /// <summary>An authorization as an honest client signs it.</summary>
    public Authorization Authorize(string value = "10000", Address? to = null, ulong after = 0, long lives = 300, byte[]? nonce = null, Address? from = null)
    {
        UInt256.TryParse(value, out var amount).ShouldBeTrue();
        return new Authorization(from ?? Payer, to ?? Chain.PayTo, amount, after, (ulong)(Now + lives), nonce ?? [.. Enumerable.Repeat(++fill, 32)]);
    }

    public byte[] Sign(Authorization authorization) =>
        ExactEvm.Sign(authorization, Eip712.DomainSeparator(Chain.Asset.Name, Chain.Asset.Version, Chain.ChainId, Chain.Asset.Address), PayerKey).Signature;

    public Payment Pay(Authorization? authorization = null, byte[]? signature = null, PaymentRequirements? accepted = null, string price = "0.01 USD", SealedTerms? terms = null)
    {
        authorization ??= Authorize();
        var payload = new ExactEvmPayload(authorization, signature ?? Sign(authorization)).ToJson();
        return Pay(new PaymentPayload { X402Version = 2, Accepted = accepted ?? Terms(price), Payload = payload }, price, terms);
    }

    public Payment Pay(PaymentPayload payload, string price = "0.01 USD", SealedTerms? terms = null) => new(Call(price), static _ => default)
    {
        Credential = new X402Credential { Digest = "d", Method = "x402.exact", Version = 2, V2 = payload, Terms = terms },
    };

    public Payment PayV1(PaymentPayloadV1 payload) => new(Call(), static _ => default)
    {
        Credential = new X402Credential { Digest = "d", Method = "x402.exact", Version = 1, V1 = payload },
    };

    public static async Task<Refusal?> Check(IPaymentMethod method, Payment payment) =>
        (Refusal?)(method.Identify(payment) ?? await method.VerifyAsync(payment, default));

    public Task<Refusal?> Check(Payment payment) => Check(Exact, payment);

    /// <summary>What the books would hand to settling.</summary>
    public async Task<HoldState> Capture(IPaymentMethod method, Payment payment, bool prepare = true)
    {
        (await Check(method, payment)).ShouldBeNull();
        var hold = new Hold
        {
            Id = payment.HoldId!, Legs = payment.Legs, Binding = "b", Receipt = payment.ReceiptId, Correlation = "c", Operation = "forecast",
            Payer = payment.Payer!, Method = method.Name, PriceVersion = payment.PriceVersion!, Request = "GET /forecast/paris", Terms = payment.Terms, Expires = payment.Expires,
        };
        var held = new HoldState(hold, HoldStatus.Held, payment.Ceiling, payment.Ceiling, null, null, null, null, 1, "i", Time.GetUtcNow(), Time.GetUtcNow());
        return held with { Status = HoldStatus.Captured, Broadcast = prepare ? await method.PrepareAsync(held, payment.Ceiling, default) : null };
    }

    public Task<HoldState> Capture(Payment payment) => Capture(Exact, payment);
}
