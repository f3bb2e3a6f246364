using Turnpike.Access.Approvals;
using Turnpike.Catalog;
using Turnpike.Gateway;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Limits;
using Turnpike.Limits.Incidents;
using Turnpike.Payments;
using Turnpike.Plans.Grants;
using Turnpike.Protocols.X402;
using Turnpike.Storage;
using Turnpike.Tests.Identity;
using Turnpike.Tests.Payments.Evm;
using Turnpike.Tests.Payments.Retries;
using Turnpike.Tokens;

namespace Turnpike.Tests.Gateway;

/// <summary>Every way to say no is provoked once, and says what the table says.</summary>
public sealed class ReasonsTests
{
    private const string Signature = "PAYMENT-SIGNATURE", Target = "/forecast/paris";
    private const string Tight = "limits: { unpaid: { amount: 1 requests, per: 1m }, invalid-proofs: { amount: 1 requests, per: 1m }, verifier-calls: { amount: 1 requests, per: 1s } }\n";

    private static readonly Dictionary<string, Func<TestGate, Task<Told>>> Ways = new()
    {
        ["ambiguous-target"] = g => g.GetAsync("/forecast/%2e%2e/status"),
        ["ambiguous-payment"] = async g => await g.GetAsync(Target, (Signature, await g.ProofAsync()), ("Authorization", await g.TokenAsync())),
        ["malformed-request"] = g => g.GetAsync(Target, ("Turnpike-Max-Price", "cheap")),
        ["schema-mismatch"] = async _ => await WithAsync("", TestGate.Document.Replace("POST /reports", "POST /reports, schema: { body: { type: object } }", StringComparison.Ordinal), g => g.SendAsync(new Ask("POST", "/reports") { Body = "[]" })),
        ["body-too-large"] = async _ => await WithAsync("", TestGate.Document.Replace("POST /reports", "POST /reports, schema: { body: true }", StringComparison.Ordinal), g => g.SendAsync(new Ask("POST", "/reports") { Body = new string('1', 8 * 1024 * 1024 + 1) })),
        ["missing-scope"] = async _ => await WithAsync("", TestGate.Document.Replace("price: free", "price: free, scopes: [a]", StringComparison.Ordinal), async g => await g.GetAsync("/status", ("x-api-key", await g.KeyAsync()))),
        ["access-denied"] = async _ => await WithAsync("access: { addresses: { deny: [127.0.0.0/8] } }\n", TestGate.Document, g => g.GetAsync("/status")),
        ["loop-detected"] = g => g.GetAsync("/status", ("Via", "1.1 turnpike, 1.1 turnpike, 1.1 proxy\n1.1 turnpike,1.1 turnpike, 1.1 turnpike")),
        ["overloaded"] = async _ => await WithAsync("", TestGate.Document.Replace("upstream: ${env:UPSTREAM}", "upstream: { url: \"${env:UPSTREAM}\", capacity: { calls: 1, queue: 0 } }", StringComparison.Ordinal), async g =>
        {
            var (arrived, goes) = (new TaskCompletionSource(), new TaskCompletionSource());
            g.Upstream.Answer = async (_, _) => { arrived.TrySetResult(); await goes.Task; return ScriptedUpstream.Text("sunny"); };
            var first = g.GetAsync("/status");
            await arrived.Task;
            var told = await g.GetAsync("/status");
            goes.SetResult();
            await first;
            return told;
        }),
        ["decision-missing"] = async _ => await WithAsync("access: { ask: { url: \"http://decide.test/\", secret: \"${env:TURNPIKE_TOKEN_SECRET}\" } }\n", TestGate.Document, g => { g.Sites["decide.test"] = static _ => throw new HttpRequestException("down"); return g.GetAsync("/status"); }),
        ["plan-lacks"] = async _ => await WithAsync("plans: { p: { entitlements: { export: true } } }\n", TestGate.Document.Replace("price: free", "price: free, entitlements: [export]", StringComparison.Ordinal), async g => await g.GetAsync("/status", ("x-api-key", await g.KeyAsync()))),
        ["assurance-required"] = async _ => await WithAsync("", TestGate.Document.Replace("price: free", "price: free, assurance: bound", StringComparison.Ordinal), async g => await g.GetAsync("/status", ("x-api-key", await g.KeyAsync()))),
        ["credential-restricted"] = async g => await g.GetAsync(Target, ("x-api-key", await g.KeyAsync(rules: new CredentialRules { Operations = ["status"] }))),
        ["upstream-too-dear"] = async _ => { using var market = new Payments.Buying.Market(); market.Seller.Price = 50_000; return await market.GetAsync(); },
        ["spending-cap-reached"] = async _ => { using var market = new Payments.Buying.Market(Payments.Buying.Market.Document.Replace("0.05 USD", "0.005 USD", StringComparison.Ordinal)); return await market.GetAsync(); },
        ["answer-withheld"] = async _ => await WithAsync("", TestGate.Document.Replace("price: free", "price: free, fields: [{ paths: [$.a], scopes: [a] }]", StringComparison.Ordinal), g => g.GetAsync("/status")),
        ["unknown-key"] = g => g.GetAsync(Target, ("x-api-key", "k")),
        ["key-expired"] = async g => { var key = await g.KeyAsync(valid: TimeSpan.FromMinutes(1)); g.Time.Pass(TimeSpan.FromMinutes(1)); return await g.GetAsync(Target, ("x-api-key", key)); },
        ["key-revoked"] = async g => { var key = await g.KeyAsync(); await g.Of<CallerDesk>().RevokeAsync((await g.Of<CallerDesk>().KeysAsync("agent", default))[0].Id, "test", default); return await g.GetAsync(Target, ("x-api-key", key)); },
        ["caller-suspended"] = async g => { var key = await g.KeyAsync(); await g.Of<CallerDesk>().PutAsync(new Caller("agent") { Status = CallerStatus.Suspended }, default); return await g.GetAsync(Target, ("x-api-key", key)); },
        ["invalid-token"] = g => Issuer.AskAsync(Issuer.Claims("aud", "someone-else")),
        ["unknown-caller"] = g => Issuer.AskAsync(Issuer.Claims("sub", "nobody")),
        ["invalid-signature"] = g => g.GetAsync("/status", ("DPoP", "mine")),
        ["proof-required"] = g => Issuer.AskAsync(Issuer.Claims("cnf", new Dictionary<string, string> { ["jkt"] = "x" })),
        ["issuer-down"] = async _ => await WithAsync(Issuer.Config, TestGate.Document, g => { g.Sites["login.test"] = static _ => throw new HttpRequestException("down"); return g.GetAsync("/status", ("Authorization", "Bearer " + new Issuer().Sign(Issuer.Claims()))); }),
        ["identity-required"] = async _ => await WithAsync("", TestGate.Document.Replace("price: free", "price: free, identity: required", StringComparison.Ordinal), g => g.GetAsync("/status")),
        ["not-found"] = g => g.GetAsync("/nothing"),
        ["method-not-allowed"] = g => g.SendAsync(new Ask("DELETE", Target)),
        ["payment-required"] = g => g.GetAsync(Target),
        ["price-above-maximum"] = g => g.GetAsync(Target, ("Turnpike-Max-Price", "0.001 USD")),
        ["malformed-credential"] = g => g.GetAsync(Target, (Signature, "?")),
        ["invalid-challenge"] = async g => await g.GetAsync(Target, ("Authorization", g.PayMpp(await g.GetAsync(Target), c => c with { Challenge = c.Challenge with { Id = "mine" } }))),
        ["wrong-resource"] = async g => await g.GetAsync("/history/paris", (Signature, await g.ProofAsync())),
        ["payment-expired"] = async g => { var proof = await g.ProofAsync(); g.Time.Pass(TimeSpan.FromMinutes(6)); return await g.GetAsync(Target, (Signature, proof)); },
        ["payment-insufficient"] = async g => await g.GetAsync(Target, (Signature, await g.ProofAsync(change: p => p with { Accepted = p.Accepted with { Amount = "9999" } }))),
        ["verification-failed"] = async g => { g.Chain.Token.Balances[TestGate.Payer] = 0; return await g.GetAsync(Target, (Signature, await g.ProofAsync())); },
        ["method-unsupported"] = async g => await g.GetAsync("/prepaid", (Signature, await g.ProofAsync())),
        ["credential-used"] = async g => { var proof = await g.ProofAsync(); await g.GetAsync(Target, (Signature, proof)); return await g.GetAsync("/history/paris", (Signature, proof)); },
        ["payment-action-required"] = g => SettlesAsync(g, new Settlement.Failed("requires_action", "3-D Secure.") { As = Reasons.PaymentActionRequired }),
        ["settlement-failed"] = g => SettlesAsync(g, new Settlement.Failed("reverted", "No.")),
        ["unknown-token"] = g => g.GetAsync(Target, ("Authorization", "Bearer tp_mine")),
        ["token-expired"] = async g => { var token = await g.TokenAsync(change: o => o with { Valid = TimeSpan.FromSeconds(1) }); g.Time.Pass(TimeSpan.FromSeconds(1)); return await g.GetAsync(Target, ("Authorization", token)); },
        ["token-exhausted"] = g => TokenAsync(g, "0.001 USD"),
        ["token-over-called"] = g => TokenAsync(g, "1 USD", o => o with { Calls = 0 }),
        ["token-revoked"] = g => StatusAsync(g, TokenStatus.Revoked),
        ["token-frozen"] = g => StatusAsync(g, TokenStatus.Frozen),
        ["token-wrong-operation"] = g => TokenAsync(g, "1 USD", o => o with { Operations = ["status"] }),
        ["token-call-cap"] = g => TokenAsync(g, "1 USD", o => o with { PerCall = new Money(1, "USD") }),
        ["insecure-transport"] = g => g.SendAsync(new Ask("GET", Target) { Address = "192.0.2.1", Tls = false }),
        ["in-flight"] = InFlightAsync,
        ["already-delivered"] = async g => { var proof = await g.ProofAsync(); await g.GetAsync(Target, (Signature, proof)); g.Time.Pass(TimeSpan.FromHours(1)); return await g.GetAsync(Target, (Signature, proof)); },
        ["idempotency-key-reused"] = async g => { var headers = new (string, string?)[] { ("Authorization", await g.TokenAsync()), ("Idempotency-Key", "k") }; await g.GetAsync(Target, headers); return await g.GetAsync("/history/paris", headers); },
        ["unknown-model"] = async _ => await WithAsync("", Metering.MeteredGate.Chat, async g => await g.SendAsync(Metering.MeteredGate.Ask(await g.TokenAsync(), "{}"))),
        ["answer-above-ceiling"] = async _ => await WithAsync("", Metering.MeteredGate.Records, async g => { g.Upstream.Says(() => Metering.MeteredGate.Json("""{"items":[1,2,3,4,5,6]}""")); return await g.GetAsync("/companies", ("Authorization", await g.TokenAsync())); }),
        ["too-many-unpaid"] = async _ => await WithAsync(Tight, TestGate.Document, async g => { await g.GetAsync(Target); return await g.GetAsync(Target); }),
        ["too-many-invalid-proofs"] = async _ => await WithAsync(Tight, TestGate.Document, async g => { await g.GetAsync(Target, (Signature, "?")); return await g.GetAsync(Target, (Signature, "?")); }),
        ["too-many-guesses"] = async _ => await WithAsync(Tight, TestGate.Document, async g => { await g.GetAsync("/status", ("apikey", "wrong")); return await g.GetAsync("/status", ("apikey", "wrong as well")); }),
        ["session-ended"] = async _ => await WithAsync("", TestGate.Document.Replace("price: 0.01 USD }\n      history", "price: { per-session: 0.01 USD, lasts: 1h } }\n      history", StringComparison.Ordinal), g => g.GetAsync(Target, ("Turnpike-Session", "r_1.2.x"))),
        ["pricer-down"] = async _ => await WithAsync("", TestGate.Document.Replace("price: free", "price: { pricer: { url: \"https://pricer.example\" }, ceiling: 1.00 USD }", StringComparison.Ordinal), g => { g.Sites["pricer.example"] = static _ => throw new HttpRequestException("gone"); return g.GetAsync("/status"); }),
        ["allowance-used-up"] = _ => IncludedAsync("pay"),
        ["credit-line-reached"] = async _ => await WithAsync("plans: { tiny: { postpaid: { per: 1mo, limit: 0.001 USD } } }\ncallers: { agent: { plan: tiny, keys: [\"${env:AGENT_KEY}\"] } }\n", TestGate.Document, g => g.GetAsync(Target, Key)),
        ["invoice-past-due"] = _ => ArrearsAsync("pay"),
        ["account-past-due"] = _ => ArrearsAsync("refuse"),
        ["allowance-renews"] = _ => IncludedAsync("wait"),
        ["allowance-over"] = _ => IncludedAsync("refuse"),
        ["cap-reached"] = async _ => await WithAsync("callers: { agent: { keys: [\"${env:AGENT_KEY}\"], caps: [{ amount: 0.001 USD, per: 1d }] } }\n", TestGate.Document, async g => await g.GetAsync(Target, Key, ("Authorization", await g.TokenAsync()))),
        ["cap-spent"] = async _ => await WithAsync("callers: { agent: { keys: [\"${env:AGENT_KEY}\"], caps: [{ amount: 0.001 USD }] } }\n", TestGate.Document, async g => await g.GetAsync(Target, Key, ("Authorization", await g.TokenAsync()))),
        ["balance-exhausted"] = async _ => await WithAsync("callers: { agent: { keys: [\"${env:AGENT_KEY}\"] } }\n", TestGate.Document.Replace("  prepaid: {", "  balance: true\n  prepaid: {", StringComparison.Ordinal), async g => { await g.Of<GrantDesk>().GrantAsync(new Grant("agent", "g", GrantKind.Paid, new Money(1, "USD")), default); return await g.GetAsync(Target, Key); }),
        ["token-standing"] = g => TokenAsync(g, "1 USD", o => o with { Series = new TokenSeries(TimeSpan.FromMinutes(5), new Money(Money.Nano, "USD")) }),
        ["abnormal-usage"] = async _ => await WithAsync("breakers: { loop: { watch: identical-requests, more-than: 1, within: 60s } }\n", TestGate.Document, async g => { await g.GetAsync("/status"); return await g.GetAsync("/status"); }),
        ["closed"] = g => SwitchedAsync(g, IncidentMode.Closed, new Ask("GET", "/status")),
        ["read-only"] = g => SwitchedAsync(g, IncidentMode.ReadOnly, new Ask("POST", "/reports")),
        ["paid-only"] = g => SwitchedAsync(g, IncidentMode.PaidOnly, new Ask("GET", "/status")),
        ["no-new-payments"] = g => SwitchedAsync(g, IncidentMode.NoNewPayments, new Ask("GET", Target)),
        ["approval-required"] = _ => SteppedAsync("approval", g => g.GetAsync("/prepaid", Key)),
        ["approval-denied"] = _ => SteppedAsync("approval", async g => { await g.GetAsync("/prepaid", Key); await g.Of<ApprovalDesk>().DecideAsync((await g.Of<ApprovalStore>().ListAsync(null, 1, default))[0], yes: false, null, default); return await g.GetAsync("/prepaid", Key); }),
        ["stronger-identity"] = _ => SteppedAsync("identity", g => g.GetAsync("/prepaid", Key)),
        ["too-many-calls"] = async g => { var token = await g.TokenAsync(change: o => o with { Rate = new RateLimit(1, TimeSpan.FromMinutes(1), []) }); await g.GetAsync(Target, ("Authorization", token)); return await g.GetAsync(Target, ("Authorization", token)); },
        ["internal-error"] = async g => { g.Rail.Verdict = static () => throw new InvalidOperationException("a bug"); return await g.GetAsync(Target, (Signature, await g.ProofAsync())); },
        ["upstream-failed"] = g => FailsAsync(g, new HttpRequestException(HttpRequestError.ResponseEnded)),
        ["upstream-asks-payment"] = async g => { g.Upstream.Says(() => ScriptedUpstream.Text("pay", System.Net.HttpStatusCode.PaymentRequired)); return await g.GetAsync("/status"); },
        ["upstream-down"] = g => FailsAsync(g, new HttpRequestException(HttpRequestError.ConnectionError)),
        ["upstream-timeout"] = g => FailsAsync(g, new TaskCanceledException()),
        ["settlement-unknown"] = g => SettlesAsync(g, new Settlement.Unknown("0xsent", "No receipt yet.")),
        ["verifier-down"] = async g => { var proof = await g.ProofAsync(); g.Chain.Interrupt = FakeChain.Down; return await g.GetAsync(Target, (Signature, proof)); },
        ["verifier-busy"] = async _ => await WithAsync(Tight.Replace("amount: 1 requests, per: 1m", "amount: 9 requests, per: 1m", StringComparison.Ordinal), TestGate.Document, async g => { var (one, two) = (await g.ProofAsync(), await g.ProofAsync()); await g.GetAsync(Target, (Signature, one)); return await g.GetAsync(Target, (Signature, two)); }),
        ["draining"] = g => { g.Of<Microsoft.Extensions.Hosting.IHostApplicationLifetime>().StopApplication(); return g.GetAsync(Target); },
        ["payment-identifier-reused"] = async g => { const string Name = "pay_7d5d747be160e280504c099d984bcfe0"; await g.GetAsync(Target, (Signature, await g.ProofAsync(change: p => RetryKeysTests.Named(p, Name)))); return await g.GetAsync(Target, (Signature, await g.ProofAsync(change: p => RetryKeysTests.Named(p, Name)))); },
        ["trail-full"] = PressureTests.SentAwayAsync,
        ["store-down"] = async g => { var token = await g.TokenAsync(); await g.GetAsync(Target, ("Authorization", token)); g.Of<Database>().Writer.Dispose(); return await g.GetAsync(Target, ("Authorization", token)); },
    };

    private static readonly (string, string?) Key = ("apikey", Turnpike.Tests.Catalog.Documents.Variables["AGENT_KEY"]);

    private static Task<Told> ArrearsAsync(string when) => WithAsync($"plans: {{ late: {{ postpaid: {{ per: 1mo, when-past-due: {when} }} }} }}\ncallers: {{ agent: {{ plan: late, keys: [\"${{env:AGENT_KEY}}\"] }} }}\n", TestGate.Document, g =>
    {
        g.Of<Turnpike.Plans.Arrears>().Replace(["agent"]);
        return g.GetAsync(Target, Key);
    });

    private static Task<Told> IncludedAsync(string then) => WithAsync($"plans: {{ one: {{ includes: [{{ amount: 1 requests, per: 1d, when-used-up: {then} }}] }} }}\ncallers: {{ agent: {{ plan: one, keys: [\"${{env:AGENT_KEY}}\"] }} }}\n", TestGate.Document, async g =>
    {
        await g.GetAsync(Target, Key);
        return await g.GetAsync(Target, Key);
    });

    private static async Task<Told> SwitchedAsync(TestGate gate, IncidentMode mode, Ask ask)
    {
        await gate.Of<IncidentBoard>().SetAsync(IncidentBoard.Installation, mode, "We are looking into it.", default);
        return await gate.SendAsync(ask);
    }

    private static Task<Told> SteppedAsync(string require, Func<TestGate, Task<Told>> way) =>
        WithAsync("callers: { agent: { keys: [\"${env:AGENT_KEY}\"] } }\n", TestGate.Document.Replace("accept: [prepaid] }", $"accept: [prepaid], step-up: {{ above: 0.001 USD, require: {require} }} }}", StringComparison.Ordinal), way);

    public static TheoryData<string> Codes => [.. Reasons.All.Select(r => r.Code)];

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task Every_reason_can_be_met(string code)
    {
        var reason = Reasons.All.Single(r => r.Code == code);
        using var gate = new TestGate();
        var told = await Ways[code](gate);
        (told.Reason, told.Status).ShouldBe((code, reason.Status));
        told.Json.GetProperty("type").GetString().ShouldBe(reason.Type);
        told.Json.GetProperty("hint").GetString().ShouldBe(reason.Hint);
        told.Headers.CacheControl.ToString().ShouldBe("no-store");
        if (reason.Status == 402) told.Headers.ContainsKey("PAYMENT-REQUIRED").ShouldBe(code != "method-unsupported", "a 402 is never without terms; that operation takes tokens alone");
        if (reason.Status == 402) told.Json.GetProperty("offers").GetArrayLength().ShouldBeGreaterThan(0);
        if (reason.Status is 409 or 429 && code is not ("already-delivered" or "payment-identifier-reused")) int.Parse(told.Headers.RetryAfter.ToString(), null).ShouldBeGreaterThan(0);
        told.Body.ShouldNotContain("   at ", Case.Sensitive, "no stack trace leaves");
    }

    [Fact]
    public void Codes_are_unique_and_told_in_lower_case() =>
        Reasons.All.Select(r => r.Code).ShouldBeUnique();

    public static TheoryData<string, (string, string?)[]> Two => new()
    {
        { "x402 v1 and v2", [(Signature, "a"), ("X-PAYMENT", "b")] },
        { "two values", [(Signature, "a\nb")] },
        { "joined by a comma", [(Signature, "a, b")] },
        { "x402 and MPP", [(Signature, "ok"), ("Authorization", "Payment e30")] },
        { "two MPP", [("Authorization", "Payment e30"), ("Payment-Authorization", "Payment e30")] },
        { "two MPP in one header", [("Authorization", "Payment e30, Payment e30")] },
        { "two tokens", [("Authorization", "Bearer tp_a, Bearer tp_b")] },
        { "two tokens in two lines", [("Authorization", "Bearer tp_a\nBearer tp_b")] },
        { "a token and x402", [("Authorization", "Bearer tp_a"), (Signature, "ok")] },
        { "a token and MPP", [("Authorization", "Bearer tp_a"), ("Payment-Authorization", "Payment e30")] },
    };

    [Theory]
    [MemberData(nameof(Two))]
    public async Task Two_payments_in_one_request_are_refused_unread(string what, (string, string?)[] headers)
    {
        using var gate = new TestGate();
        var told = await gate.GetAsync(Target, headers);
        (told.Status, told.Reason).ShouldBe((400, "ambiguous-payment"), what);
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    private static async Task<Told> WithAsync(string more, string document, Func<TestGate, Task<Told>> way)
    {
        using var gate = new TestGate(more, document);
        return await way(gate);
    }

    private static async Task<Told> SettlesAsync(TestGate gate, Settlement outcome)
    {
        gate.Rail.Settle = _ => new(outcome);
        return await gate.GetAsync(Target, (Signature, await gate.ProofAsync()));
    }

    private static async Task<Told> TokenAsync(TestGate gate, string budget, Func<TokenOrder, TokenOrder>? change = null) =>
        await gate.GetAsync(Target, ("Authorization", await gate.TokenAsync(budget, change)));

    private static async Task<Told> StatusAsync(TestGate gate, TokenStatus status)
    {
        var token = await gate.TokenAsync();
        await gate.Of<TokenDesk>().SetStatusAsync(TestGate.IdOf(token), status, "test", default);
        return await gate.GetAsync(Target, ("Authorization", token));
    }

    private static async Task<Told> FailsAsync(TestGate gate, Exception how)
    {
        gate.Upstream.Says(() => throw how);
        return await gate.GetAsync("/status");
    }

    private static async Task<Told> InFlightAsync(TestGate gate)
    {
        var (proof, inside, go) = (await gate.ProofAsync(), new TaskCompletionSource(), new TaskCompletionSource());
        gate.Upstream.Answer = async (_, _) => { inside.SetResult(); await go.Task; return ScriptedUpstream.Text("late"); };
        var first = gate.GetAsync(Target, (Signature, proof));
        await inside.Task;
        var second = await gate.GetAsync(Target, (Signature, proof));
        go.SetResult();
        await first;
        return second;
    }
}
