using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Access;

/// <summary>Who may call and pay, by lists and by asking somebody else.</summary>
public sealed class AccessListTests
{
    private static string Document(string operation, string document = "") => $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        {{(document.Length > 0 ? $"access: {document}" : "")}}
        services:
          s:
            upstream: ${env:UPSTREAM}
            access: { addresses: { deny: [192.0.2.0/24, "2001:db8::/32"] } }
            operations:
              paid: { match: GET /paid, price: 0.10 USD, access: {{operation}} }
              open: { match: GET /open, price: free }
        """;

    private static string Asking(string at, string more = "") => $$"""{ ask: { url: "http://decide.test/it", at: [{{at}}], secret: "${env:TURNPIKE_TOKEN_SECRET}" {{more}} } }""";

    private static HttpResponseMessage Says(string json, HttpStatusCode status = HttpStatusCode.OK) => new(status) { Content = new StringContent(json) };

    [Fact]
    public async Task An_address_that_is_denied_gets_no_terms_and_one_that_is_not_allowed_neither()
    {
        using var gate = new TestGate(document: Document("{ addresses: { allow: [10.0.0.0/8, 127.0.0.1] } }"));
        foreach (var (address, path, status) in new[] { ("10.1.2.3", "/paid", 402), ("127.0.0.1", "/paid", 402), ("203.0.113.7", "/paid", 403), ("192.0.2.9", "/open", 403), ("2001:db8::1", "/open", 403), ("203.0.113.7", "/open", 200) })
            (await gate.SendAsync(new Ask("GET", path) { Address = address })).Status.ShouldBe(status, $"{address} {path}");
        (await gate.SendAsync(new Ask("GET", "/paid") { Address = "203.0.113.7" })).ShouldSatisfyAllConditions(t => t.Reason.ShouldBe("access-denied"), t => t.Body.ShouldNotContain("offers"));
        (await gate.SendAsync(new Ask("GET", "/paid", ("X-Forwarded-For", "10.1.2.3")) { Address = "203.0.113.7" })).Status.ShouldBe(403, "nobody says where another calls from");
    }

    [Fact]
    public async Task Callers_are_allowed_by_name_or_group_and_denied_whatever_else_allows_them()
    {
        using var gate = new TestGate(document: Document("{ callers: { allow: [one, \"group:partners\", three], deny: [three] } }"));
        var keys = new Dictionary<string, string>();
        foreach (var (name, groups) in new[] { ("one", Array.Empty<string>()), ("two", ["partners"]), ("three", ["partners"]), ("four", []) })
            keys[name] = await gate.KeyAsync(name, change: c => c with { Groups = groups });
        foreach (var (name, status) in new[] { ("one", 402), ("two", 402), ("three", 403), ("four", 403) })
            (await gate.GetAsync("/paid", ("x-api-key", keys[name]))).Status.ShouldBe(status, name);
        (await gate.GetAsync("/paid")).Reason.ShouldBe("identity-required");
        (await gate.GetAsync("/paid", ("x-api-key", keys["four"]), ("Authorization", await gate.TokenAsync()))).Status.ShouldBe(403, "paying changes nothing");
    }

    [Fact]
    public async Task A_shadow_refuses_nobody_and_says_whom_it_would_have_refused_and_why()
    {
        using var gate = new TestGate(document: Document("{ addresses: { allow: [10.0.0.0/8] }, callers: { allow: [one] }, shadow: true }"));
        var token = await gate.TokenAsync();
        (await gate.SendAsync(new Ask("GET", "/paid", ("Authorization", token)) { Address = "203.0.113.7" })).Status.ShouldBe(200);
        (await gate.SendAsync(new Ask("GET", "/paid", ("Authorization", token)) { Address = "10.0.0.1" })).Status.ShouldBe(200);
        (await gate.SendAsync(new Ask("GET", "/paid", ("x-api-key", await gate.KeyAsync("one")), ("Authorization", token)) { Address = "10.0.0.1" })).Status.ShouldBe(200);
        (await gate.SendAsync(new Ask("GET", "/paid") { Address = "192.0.2.9" })).Status.ShouldBe(403, "the service's own lists are not in shadow");
        (await ShadowsAsync(gate)).ShouldBe(["access access-denied It is not open to your address.", "access identity-required This is open to some callers alone."]);
    }

    [Fact]
    public async Task A_payer_in_shadow_and_a_no_in_shadow_stop_nothing()
    {
        using var gate = new TestGate(document: Document("{ payers: { allow: [nobody] }, shadow: true, " + Asking("access, settled")[2..]));
        gate.Sites["decide.test"] = static _ => Says("{\"allow\":false,\"reason\":\"no\"}");
        var token = await gate.TokenAsync();
        (await gate.GetAsync("/paid", ("Authorization", token))).Status.ShouldBe(200);
        (await ShadowsAsync(gate)).ShouldBe(["ask access-denied no", "access access-denied Your payments are not taken here; nothing was.", "ask access-denied no"]);
        await gate.ShouldBalanceAsync();
    }

    private static async Task<List<string>> ShadowsAsync(TestGate gate)
    {
        await gate.Of<IAuditTrail>().FlushAsync(default);
        return [.. (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.AccessShadowed), default)).Select(r => $"{r.Event.Reference} {r.Event.Reason} {r.Event.Detail}")];
    }

    [Fact]
    public async Task A_payer_who_is_denied_is_refused_when_known_and_nothing_is_taken()
    {
        using var gate = new TestGate(TestGate.Document.Contains("access:", StringComparison.Ordinal) ? "" : $"access: {{ payers: {{ deny: [\"{TestGate.Payer.ToLowerHex().ToUpperInvariant().Replace("0X", "0x", StringComparison.Ordinal)}\"] }} }}\n");
        var told = await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", await gate.ProofAsync()));
        (told.Status, told.Reason, gate.Upstream.Requests.Count).ShouldBe((403, "access-denied", 0));
        (await gate.GetAsync("/forecast/paris", ("Authorization", await gate.TokenAsync()))).Status.ShouldBe(200);
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Who_is_asked_is_told_the_facts_signed_and_a_no_gives_no_terms()
    {
        using var gate = new TestGate(document: Document(Asking("access, price")));
        List<(JsonElement Body, bool Signed)> asked = [];
        var allow = true;
        gate.Sites["decide.test"] = request =>
        {
            var body = request.Content!.ReadAsByteArrayAsync().GetAwaiter().GetResult();
            string H(string name) => request.Headers.GetValues(name).Single();
            var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Documents.Variables["TURNPIKE_TOKEN_SECRET"]), (byte[])[.. Encoding.UTF8.GetBytes($"{H("webhook-id")}.{H("webhook-timestamp")}."), .. body]);
            asked.Add((JsonDocument.Parse(body).RootElement, H("webhook-signature") == "v1," + Convert.ToBase64String(mac)));
            return Says(allow ? """{"allow":true}""" : """{"allow":false,"reason":"Not on Sundays."}""");
        };
        var key = await gate.KeyAsync();
        (await gate.GetAsync("/paid", ("x-api-key", key))).Status.ShouldBe(402);
        asked.ShouldAllBe(a => a.Signed);
        asked.Select(a => a.Body.GetProperty("at").GetString()).ShouldBe(["access", "price"]);
        (asked[0].Body.GetProperty("caller").GetString(), asked[0].Body.GetProperty("request").GetString(), asked[1].Body.GetProperty("amount").GetString()).ShouldBe(("agent", "GET /paid", "0.10"));
        asked.ShouldAllBe(a => !a.Body.GetRawText().Contains(key, StringComparison.Ordinal));
        allow = false;
        var no = await gate.GetAsync("/paid", ("x-api-key", key), ("Authorization", await gate.TokenAsync()));
        (no.Status, no.Reason, no.Json.GetProperty("detail").GetString()).ShouldBe((403, "access-denied", "Not on Sundays."));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"allow":"true"}""")]
    [InlineData("""{"allow":false,"allow":true}""")]
    [InlineData("""{"allow":true}""", 500)]
    public async Task Whatever_is_no_plain_yes_or_no_is_no_answer_and_fails_as_told(string answer, int status = 200)
    {
        foreach (var (told, expected) in new[] { ("deny", 503), ("allow", 402) })
        {
            using var gate = new TestGate(document: Document(Asking("access", $", on-failure: {told}, timeout: 1s")));
            gate.Sites["decide.test"] = _ => Says(answer, (HttpStatusCode)status);
            (await gate.GetAsync("/paid")).Status.ShouldBe(expected);
            await gate.Of<IAuditTrail>().FlushAsync(default);
            (await gate.Of<IAuditTrail>().ReadAsync(new AuditFilter(Kind: AuditKinds.DecisionMissing), default)).Single().Event.Reason.ShouldBe(told);
        }
    }

    [Fact]
    public async Task A_no_after_payment_withholds_the_answer_and_the_money_is_the_payers_again()
    {
        using var gate = new TestGate($$"""access: { ask: { url: "http://decide.test/it", at: settled, secret: "${env:TURNPIKE_TOKEN_SECRET}" } }{{"\n"}}""");
        var allow = false;
        gate.Sites["decide.test"] = _ => Says($$"""{"allow":{{(allow ? "true" : "false")}}}""");
        var proof = await gate.ProofAsync();
        var no = await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof));
        (no.Status, no.Reason).ShouldBe((403, "access-denied"));
        no.Body.ShouldNotContain("sunny");
        (await gate.CreditAsync()).ToString().ShouldBe("0.01 USD");
        allow = true;
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Body.ShouldBe("sunny");
        (await gate.CreditAsync()).IsZero.ShouldBeTrue();
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public void What_cannot_be_is_told_with_its_place()
    {
        Documents.Load(Document(Asking("settled")).Replace("price: 0.10 USD", "price: { per-record: 0.1 USD, count: \"$.a[*]\", ceiling: 1.00 USD }", StringComparison.Ordinal)).ErrorLines.Single().ShouldContain("a price by use is taken when the answer has left");
        Documents.Load(Document("{ addresses: { allow: [10.0.0.0/99] } }")).ErrorLines.Single().ShouldContain("is no IP address or network");
        Documents.Load(Document("{ callers: { allow: [a] } }").Replace("price: 0.10 USD", "identity: upstream, price: 0.10 USD", StringComparison.Ordinal)).ErrorLines.Single().ShouldContain("nobody here knows who calls");
    }
}
