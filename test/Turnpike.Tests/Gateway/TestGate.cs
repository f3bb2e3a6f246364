using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Access;
using Turnpike.Audit;
using Turnpike.Billing;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Gateway;
using Turnpike.Gateway.Doors;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Metering;
using Turnpike.Payments;
using Turnpike.Payments.Refunds;
using Turnpike.Payments.X402;
using Turnpike.Plans;
using Turnpike.Pricing;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.Mpp;
using Turnpike.Protocols.X402;
using Turnpike.Storage;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Payments.Evm;
using Turnpike.Tests.Storage;
using Turnpike.Tokens;
using Yarp.ReverseProxy.Forwarder;

namespace Turnpike.Tests.Gateway;

/// <summary>The whole gate as it is composed for serving, with a chain and an upstream in memory and no socket.</summary>
internal sealed class TestGate : IDisposable
{
    private static readonly byte[] PayerKey = Hex.Decode("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")!;
    private readonly TemporaryFolder folder;
    private readonly ServiceProvider services;
    private readonly CatalogSource source;
    private readonly RequestDelegate gate;
    private readonly string written;
    private byte nonce;

    public TestGate(string more = "", string document = Document, TestGate? after = null)
    {
        (folder, Time, Chain) = (after?.folder ?? new TemporaryFolder(), after?.Time ?? new ManualTime(), after?.Chain!);
        nonce = after?.nonce ?? 0;
        Chain ??= new FakeChain(Time);
        Chain.Token.Balances[Payer] = 1_000_000_000;
        source = new CatalogSource(Language.Loader, Environment, folder.File + ".yaml", Time, NullLogger<CatalogSource>.Instance);
        written = more + document;
        Write(written);
        source.Open().ErrorLines.ShouldBeEmpty();
        services = Compose(folder.Open(Time));
        Rail = (ScriptedRail)services.GetRequiredService<PaymentRegistry>().Find("x402.exact")!;
        source.Changed += (before, _) => services.GetRequiredService<PriceBook>().Replaced(before);
        var app = new ApplicationBuilder(services);
        app.UseMiddleware<Faults>();
        app.Use(next => http => services.GetRequiredService<Drain>().PassAsync(http, next));
        app.UseMiddleware<Pressure>();
        app.UseMiddleware<Gate>();
        app.Run(services.GetRequiredService<Forwarder>().ForwardAsync);
        gate = app.Build();
    }

    /// <summary>Priced operations under every rail but Stripe.</summary>
    public const string Document = """
        payments:
          chains:
            "eip155:84532": { rpc: "${env:CHAIN_RPC}", asset: USDC, pay-to: "${env:PAY_TO}", settler-key: "${env:SETTLER_KEY}" }
          x402: {}
          mpp: { secret: "${env:TURNPIKE_MPP_SECRET}", evm: {} }
          prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" }
        services:
          weather:
            upstream: ${env:UPSTREAM}
            headers: { x-upstream-key: "${env:UPSTREAM_KEY}" }
            operations:
              forecast: { match: "GET /forecast/{city}", description: Seven-day forecast, price: 0.01 USD }
              history: { match: "GET /history/{city}", price: 0.01 USD }
              report: { match: POST /reports, price: 0.01 USD }
              early: { match: GET /early, price: 0.01 USD, settle: before }
              prepaid-only: { match: GET /prepaid, price: 0.01 USD, accept: [prepaid] }
              status: { match: GET /status, price: free }
        """;

    public static readonly ConfigEnvironment Environment = Documents.Environment;

    public static readonly Address Payer = Secp256k1.AddressOf(PayerKey);

    public static string PayerAccount => $"eip155:84532:{Payer.ToLowerHex()}";

    /// <summary>A forecast paid on the chain: one cent of the test payer's.</summary>
    public static Hold OnChain(string id, string receipt) => new()
    {
        Id = id,
        Legs = [new Leg($"external:evm:{PayerAccount}", "revenue:forecast", new Money(10_000_000, "USD"), Limited: false)],
        Binding = "b",
        Receipt = receipt,
        Correlation = "c",
        Operation = "forecast",
        Payer = PayerAccount,
        Method = "x402.exact",
        PriceVersion = "v",
        Request = "GET /forecast/paris",
    };

    /// <summary>Where configuration and database are.</summary>
    public string Folder => Path.GetDirectoryName(folder.File)!;

    public ManualTime Time { get; }

    public FakeChain Chain { get; }

    public ScriptedUpstream Upstream { get; } = new();

    public ScriptedRail Rail { get; }

    /// <summary>The way back of what <see cref="Rail"/> took.</summary>
    public ScriptedRefunds Refunds { get; } = new();

    /// <summary>Other places on the simulated internet, by host; everything else is the chain's node.</summary>
    public Dictionary<string, Func<HttpRequestMessage, HttpResponseMessage>> Sites { get; } = [];

    public ILedger Ledger => Of<ILedger>();

    public T Of<T>() where T : notnull => services.GetRequiredService<T>();

    /// <summary>Another process over the same database file.</summary>
    public TestGate Restart()
    {
        services.Dispose();
        return new TestGate(document: written, after: this);
    }

    public void Edit(string from, string to)
    {
        Write(File.ReadAllText(folder.File + ".yaml").Replace(from, to, StringComparison.Ordinal));
        source.Reload().ShouldNotBeNull().ErrorLines.ShouldBeEmpty();
    }

    public async Task<Told> SendAsync(Ask ask)
    {
        var told = ask.Open(services);
        await gate(told.Http);
        return told;
    }

    public Task<Told> GetAsync(string target, params (string, string?)[] headers) => SendAsync(new Ask("GET", target, headers));

    /// <summary>A fresh token, as callers send it.</summary>
    public async Task<string> TokenAsync(string budget = "1.00 USD", Func<TokenOrder, TokenOrder>? change = null)
    {
        Money.TryParse(budget, out var amount).ShouldBeTrue();
        var order = new TokenOrder(amount);
        var token = await Of<TokenDesk>().IssueAsync(change?.Invoke(order) ?? order, "external:owner");
        return TextOf(token.Id);
    }

    /// <summary>The same of a token that is there.</summary>
    public string TextOf(string id) => "Bearer " + source.Current.Settings.Get<PaymentSettings>()!.Prepaid!.Text.Of(id);

    /// <summary>A key of a caller, who is created when it is not there.</summary>
    public async Task<string> KeyAsync(string caller = "agent", TimeSpan? valid = null, CredentialRules? rules = null, Func<Caller, Caller>? change = null)
    {
        var desk = Of<CallerDesk>();
        if (change is not null || await desk.FindAsync(source.Current, caller, default) is null) await desk.PutAsync((change ?? (c => c))(new Caller(caller)), default);
        return (await desk.IssueAsync(caller, rules ?? CredentialRules.None, Time.GetUtcNow() + valid, default)).Text;
    }

    public static string IdOf(string bearer) => bearer["Bearer tp_".Length..][..26];

    /// <summary>What an x402 client sends for this 402: the first offer, signed, with the terms it echoes.</summary>
    public string Pay(Told terms, Func<PaymentPayload, PaymentPayload>? change = null)
    {
        var wanted = X402Header.DecodeTerms(terms.Headers["PAYMENT-REQUIRED"].ToString()).ShouldNotBeNull();
        var accepted = wanted.Accepts[0];
        UInt256.TryParse(accepted.Amount, out var value).ShouldBeTrue();
        var authorization = new Authorization(Payer, Address.Parse(accepted.PayTo), value, 0, (ulong)Time.GetUtcNow().ToUnixTimeSeconds() + 300, [.. Enumerable.Repeat(++nonce, 32)]);
        var signed = ExactEvm.Sign(authorization, Eip712.DomainSeparator("USDC", "2", 84532, Address.Parse(accepted.Asset)), PayerKey);
        var payment = new PaymentPayload { X402Version = 2, Accepted = accepted, Payload = signed.ToJson(), Resource = wanted.Resource, Extensions = wanted.Extensions };
        return X402Header.Encode(change?.Invoke(payment) ?? payment);
    }

    public async Task<string> ProofAsync(string target = "/forecast/paris", Func<PaymentPayload, PaymentPayload>? change = null) => Pay(await GetAsync(target), change);

    /// <summary>The same authorization as x402 v1 would send it.</summary>
    public static string Older(string proof)
    {
        var payment = X402Header.Decode(proof).Payment!;
        return X402Header.Encode(new PaymentPayloadV1 { X402Version = 1, Scheme = "exact", Network = "base-sepolia", Payload = payment.Payload });
    }

    /// <summary>What an MPP client sends for this 402: its first challenge, answered by an authorization under the challenge's nonce.</summary>
    public string PayMpp(Told terms, Func<MppCredential, MppCredential>? change = null)
    {
        var challenge = Challenge.Parse(terms.Headers.WWWAuthenticate[0], out _).ShouldNotBeNull();
        var request = challenge.ReadRequest().ShouldNotBeNull();
        UInt256.TryParse(request.GetProperty("amount").GetString()!, out var value).ShouldBeTrue();
        var authorization = new Authorization(Payer, Address.Parse(request.GetProperty("recipient").GetString()!), value, 0, (ulong)Time.GetUtcNow().ToUnixTimeSeconds() + 300, EvmCharge.ChallengeHash(challenge.Id, challenge.Realm));
        var signature = ExactEvm.Sign(authorization, Eip712.DomainSeparator("USDC", "2", 84532, Chain.Token.Address), PayerKey).Signature;
        var payload = $$"""{"type":"authorization","from":"{{authorization.From}}","to":"{{authorization.To}}","value":"{{value}}","validAfter":"0","validBefore":"{{authorization.ValidBefore}}","nonce":"{{Hex.Encode(authorization.Nonce)}}","signature":"{{Hex.Encode(signature)}}"}""";
        var credential = new MppCredential { Challenge = challenge, Payload = JsonDocument.Parse(payload).RootElement };
        return (change?.Invoke(credential) ?? credential).Encode();
    }

    public async Task ShouldBalanceAsync() => (await Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();

    public async Task<Money> CreditAsync() => await Ledger.AvailableAsync(Undelivered.Account(PayerAccount), "USD", default);

    public void Dispose()
    {
        services.Dispose();
        folder.Dispose();
    }

    private void Write(string text) => File.WriteAllText(folder.File + ".yaml", text);

    private ServiceProvider Compose(Database database)
    {
        var all = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(Time).AddSingleton(source).AddSingleton(_ => database);
        all.AddSingleton(new TermsSeal([[.. Enumerable.Repeat((byte)7, 32)]]));
        all.AddSingleton<Microsoft.Extensions.Hosting.IHostApplicationLifetime>(new Microsoft.Extensions.Hosting.Internal.ApplicationLifetime(NullLogger<Microsoft.Extensions.Hosting.Internal.ApplicationLifetime>.Instance));
        all.AddAudit().AddLedger().AddMetering().AddIdentity().AddPlans().AddPricing().AddLimits().AddTokens().AddPayments().AddAccess().AddGateway().AddBilling();
        all.RemoveAll<IRefundRail>();
        all.AddSingleton<IRefundRail>(Refunds);
        all.AddSingleton<Random>(new SteadyRandom());
        all.AddSingleton<HttpClients>((_, timeout, most) => new HttpClient(new Elsewhere(Sites, Chain), disposeHandler: false) { Timeout = timeout, MaxResponseContentBufferSize = most });
        all.Remove(all.Single(s => s.ServiceType == typeof(IPaymentMethod) && s.ImplementationType == typeof(ExactMethod)));
        all.AddSingleton<IPaymentMethod>(s => new ScriptedRail(ActivatorUtilities.CreateInstance<ExactMethod>(s)));
        var yarp = all.Single(s => s.ServiceType == typeof(IHttpForwarder));
        all.Remove(yarp);
        all.AddSingleton<IHttpForwarder>(s => new Wire((IHttpForwarder)ActivatorUtilities.CreateInstance(s, yarp.ImplementationType!), Upstream));
        return all.BuildServiceProvider();
    }

    private sealed class Elsewhere(Dictionary<string, Func<HttpRequestMessage, HttpResponseMessage>> sites, HttpMessageHandler chain) : HttpMessageHandler
    {
        private readonly HttpMessageInvoker node = new(chain, disposeHandler: false);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            sites.TryGetValue(request.RequestUri!.Host, out var site) ? Task.FromResult(site(request)) : node.SendAsync(request, cancellationToken);
    }

    /// <summary>The real forwarding with its last step, the socket, replaced.</summary>
    private sealed class Wire(IHttpForwarder real, ScriptedUpstream upstream) : IHttpForwarder
    {
        private readonly HttpMessageInvoker client = new(upstream, disposeHandler: false);

        public ValueTask<ForwarderError> SendAsync(HttpContext context, string destinationPrefix, HttpMessageInvoker httpClient, ForwarderRequestConfig requestConfig, HttpTransformer transformer) =>
            real.SendAsync(context, destinationPrefix, client, requestConfig, transformer);
    }
}
