using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Access;

/// <summary>Rights are asked for before terms, and once more before data leaves.</summary>
public sealed class RightsTests : IDisposable
{
    private const string Document = """
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" } }
        callers:
          analyst:  { keys: ["${env:AGENT_KEY}"], scopes: [companies:read] }
          exporter: { keys: ["${env:OLD_AGENT_KEY}"], scopes: [companies:read, companies:export, companies:private], roles: [auditor] }
        services:
          registry:
            upstream: ${env:UPSTREAM}
            operations:
              search:
                match: GET /companies
                identity: required
                scopes: [companies:read]
                fields:
                  - { paths: ["$.items[*].owner"], scopes: [companies:private], otherwise: remove }
                  - { paths: ["$.internal", "$.items[*].id"], scopes: [companies:private], otherwise: mask }
                price: 0.20 USD
              export:
                match: POST /exports
                scopes: [companies:read, companies:export]
                schema:
                  body: { type: object, required: [format], properties: { format: { enum: [csv, json] } }, additionalProperties: false }
                price: 2.50 USD
              audit: { match: GET /audit, price: free, roles: [auditor, owner] }
              chat: { match: POST /chat, price: free }
        """;

    private const string Answer = """{"items":[{"id":7,"name":"A","owner":"Jane"},{"id":8,"name":"B","owner":"Joe"}],"internal":true}""";
    private static readonly (string, string?) Analyst = ("x-api-key", Catalog.Documents.Variables["AGENT_KEY"]), Exporter = ("x-api-key", Catalog.Documents.Variables["OLD_AGENT_KEY"]);

    private readonly TestGate gate = new(document: Document);

    public RightsTests() => gate.Upstream.Says(() => Json(Answer));

    public void Dispose() => gate.Dispose();

    [Fact]
    public async Task Who_may_not_is_told_what_is_missing_and_no_price()
    {
        var told = await gate.SendAsync(new Ask("POST", "/exports", Analyst) { Body = """{"format":"csv"}""" });
        (told.Status, told.Reason).ShouldBe((403, "missing-scope"));
        told.Json.GetProperty("detail").GetString().ShouldBe("You were not given companies:export.");
        told.Headers.WWWAuthenticate.ToString().ShouldBe("Bearer realm=\"127.0.0.1\", error=\"insufficient_scope\", scope=\"companies:read companies:export\"");
        told.Body.ShouldNotContain("price");
        (await gate.SendAsync(new Ask("POST", "/exports") { Body = "{}" })).Reason.ShouldBe("identity-required", "a stranger is asked who it is, even where identity is optional");
    }

    [Fact]
    public async Task Paying_does_not_change_what_somebody_may_do()
    {
        var told = await gate.SendAsync(new Ask("POST", "/exports", Analyst, ("Authorization", await gate.TokenAsync("9.00 USD"))) { Body = """{"format":"csv"}""" });
        (told.Status, told.Reason).ShouldBe((403, "missing-scope"));
        (await gate.SendAsync(new Ask("POST", "/exports", Exporter, ("Authorization", await gate.TokenAsync("9.00 USD"))) { Body = """{"format":"csv"}""" })).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData("""{"format":"xml"}""", "/format is none of \"csv\", \"json\".")]
    [InlineData("""{"format":"csv","all":true}""", "/all is not allowed.")]
    [InlineData("{}", "/format is missing.")]
    [InlineData("[]", "the body is no object.")]
    [InlineData("""{"format":"csv","format":"xml"}""", "The body is no sound JSON")]
    [InlineData("format=csv", "The body is no sound JSON")]
    [InlineData("", "A JSON body is wanted.")]
    [InlineData(null, "A JSON body is wanted.")]
    public async Task A_body_that_does_not_fit_is_400_and_never_charged(string? body, string why)
    {
        var token = await gate.TokenAsync("9.00 USD");
        var told = await gate.SendAsync(new Ask("POST", "/exports", Exporter, ("Authorization", token)) { Body = body });
        (told.Status, told.Reason).ShouldBe((400, "schema-mismatch"));
        told.Json.GetProperty("detail").GetString()!.ShouldStartWith(why);
        gate.Upstream.Requests.ShouldBeEmpty();
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("9.00 USD");
    }

    [Fact]
    public async Task A_body_larger_than_can_be_looked_through_is_413_and_never_charged()
    {
        var token = await gate.TokenAsync("9.00 USD");
        var largest = $$"""{"format":"csv"{{new string(' ', 8 * 1024 * 1024 - 16)}}}""";
        var ask = new Ask("POST", "/exports", Exporter, ("Authorization", token)) { Body = largest + " " };
        var told = await gate.SendAsync(ask);
        (told.Status, told.Reason).ShouldBe((413, "body-too-large"));
        gate.Upstream.Requests.ShouldBeEmpty();
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("9.00 USD");
        (await gate.SendAsync(ask with { Body = largest })).Status.ShouldBe(200);
    }

    [Fact]
    public async Task The_body_reaches_the_upstream_as_it_was_sent()
    {
        const string body = """{ "format" :  "csv" }""";
        (await gate.SendAsync(new Ask("POST", "/exports", Exporter, ("Authorization", await gate.TokenAsync("9.00 USD"))) { Body = body })).Status.ShouldBe(200);
        gate.Upstream.Requests.Single().Body.ShouldBe(body);
    }

    [Fact]
    public async Task Everybody_sees_the_fields_they_may_see()
    {
        (await SearchAsync(Exporter)).Body.ShouldBe(Answer);
        var told = await SearchAsync(Analyst);
        told.Body.ShouldBe("""{"items":[{"id":"***","name":"A"},{"id":"***","name":"B"}],"internal":"***"}""");
        told.Headers.ContentLength.ShouldBe(told.Body.Length);
        told.Headers.CacheControl.ToString().ShouldBe("private, no-store");
        gate.Upstream.Requests.Last().Headers["Turnpike-Scopes"].ShouldBe("companies:read");
    }

    [Fact]
    public async Task A_kept_answer_is_kept_without_them()
    {
        var token = await gate.TokenAsync("9.00 USD");
        (string, string?)[] ask = [Analyst, ("Authorization", token), ("Idempotency-Key", "once")];
        var first = await gate.GetAsync("/companies", ask);
        var again = await gate.GetAsync("/companies", ask);
        (again.Status, again.Body).ShouldBe((200, first.Body));
        again.Body.ShouldNotContain("Jane");
        gate.Upstream.Requests.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("text/csv", null, 200)]
    [InlineData("application/json", "gzip", 200)]
    [InlineData("application/json", null, 206)]
    [InlineData("text/event-stream", null, 200)]
    public async Task An_answer_that_cannot_be_looked_through_does_not_leave_and_costs_nothing(string type, string? encoding, int status)
    {
        gate.Upstream.Says(() =>
        {
            var answer = Json(Answer);
            (answer.StatusCode, answer.Content.Headers.ContentType) = ((HttpStatusCode)status, new MediaTypeHeaderValue(type));
            if (encoding is not null) answer.Content.Headers.ContentEncoding.Add(encoding);
            return answer;
        });
        var token = await gate.TokenAsync("9.00 USD");
        var told = await gate.GetAsync("/companies", Analyst, ("Authorization", token));
        (told.Status, told.Reason).ShouldBe((502, "answer-withheld"));
        told.Body.ShouldNotContain("Jane");
        (await gate.Ledger.AvailableAsync("token:" + TestGate.IdOf(token), "USD", default)).ToString().ShouldBe("9.00 USD");
        (await SearchAsync(Exporter)).Status.ShouldBe(status, "who may see everything sees it as it is");
    }

    [Fact]
    public async Task An_answer_too_large_to_be_looked_through_does_not_leave()
    {
        gate.Upstream.Says(() => Json($"[\"{new string('x', 9 * 1024 * 1024)}\"]"));
        (await SearchAsync(Analyst)).Reason.ShouldBe("answer-withheld");
    }

    [Fact]
    public async Task The_upstream_is_not_asked_for_what_could_not_be_looked_through()
    {
        await gate.GetAsync("/companies", Analyst, ("Authorization", await gate.TokenAsync("9.00 USD")), ("Accept-Encoding", "gzip"), ("Range", "bytes=0-9"), ("If-Range", "x"));
        gate.Upstream.Requests.Single().Headers.Keys.ShouldNotContain(h => h == "Accept-Encoding" || h == "Range" || h == "If-Range");
    }

    [Fact]
    public async Task A_role_opens_too()
    {
        (await gate.GetAsync("/audit", Exporter)).Status.ShouldBe(200);
        var told = await gate.GetAsync("/audit", Analyst);
        (told.Reason, told.Json.GetProperty("detail").GetString()).ShouldBe(("missing-scope", "This is for auditor or owner."));
    }

    [Fact]
    public async Task A_scoped_key_is_less_than_its_caller()
    {
        static Caller All(Caller c) => c with { Scopes = ["companies:read", "companies:export"] };
        var read = await gate.KeyAsync("bot", rules: new CredentialRules { Scopes = ["companies:read", "companies:private"] }, change: All);
        (await gate.SendAsync(new Ask("POST", "/exports", ("x-api-key", read)) { Body = """{"format":"csv"}""" })).Reason.ShouldBe("missing-scope");
        (await gate.GetAsync("/companies", ("x-api-key", read))).Status.ShouldBe(402, "what its caller does not have, its key cannot have either, but reading is allowed");

        var search = await gate.KeyAsync("bot", rules: new CredentialRules { Operations = ["search"], Methods = ["GET"] });
        (await gate.GetAsync("/companies", ("x-api-key", search))).Status.ShouldBe(402);
        (await gate.SendAsync(new Ask("HEAD", "/companies", ("x-api-key", search)))).Status.ShouldBe(403);
        (await gate.SendAsync(new Ask("POST", "/chat", ("x-api-key", search)) { Body = "{}" })).Reason.ShouldBe("credential-restricted");
    }

    [Theory]
    [InlineData("""{"model":"small"}""", 200)]
    [InlineData("""{"model":"large"}""", 403)]
    [InlineData("""{"model":"small","model":"large"}""", 403)]
    [InlineData("""{"model":["small"]}""", 403)]
    [InlineData("{}", 403)]
    [InlineData("", 403)]
    public async Task A_key_for_some_models_opens_no_others(string body, int status)
    {
        var key = await gate.KeyAsync("bot", rules: new CredentialRules { Models = ["small"] });
        (await gate.SendAsync(new Ask("POST", "/chat", ("x-api-key", key)) { Body = body })).Status.ShouldBe(status);
    }

    [Fact]
    public async Task A_key_revoked_while_its_payment_is_verified_buys_nothing()
    {
        using var paid = new TestGate();
        var key = await paid.KeyAsync();
        var proof = paid.Pay(await paid.GetAsync("/forecast/paris", ("x-api-key", key)));
        var id = (await paid.Of<CallerDesk>().KeysAsync("agent", default)).Single().Id;
        paid.Rail.Verdict = () => { paid.Of<CallerDesk>().RevokeAsync(id, "leaked", default).AsTask().GetAwaiter().GetResult(); return null; };
        (await paid.GetAsync("/forecast/paris", ("x-api-key", key), ("PAYMENT-SIGNATURE", proof))).Reason.ShouldBe("key-revoked");
        paid.Upstream.Requests.ShouldBeEmpty();
        await paid.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_right_taken_away_while_its_payment_is_verified_buys_nothing()
    {
        using var paid = new TestGate(document: TestGate.Document.Replace("history: { match: \"GET /history/{city}\"", "history: { scopes: [read], match: \"GET /history/{city}\"", StringComparison.Ordinal));
        var key = await paid.KeyAsync(change: c => c with { Scopes = ["read", "more"] });
        var proof = paid.Pay(await paid.GetAsync("/history/paris", ("x-api-key", key)));
        paid.Rail.Verdict = () => { paid.Of<CallerDesk>().PutAsync(new Turnpike.Catalog.Caller("agent") { Scopes = ["more"] }, default).AsTask().GetAwaiter().GetResult(); return null; };
        (await paid.GetAsync("/history/paris", ("x-api-key", key), ("PAYMENT-SIGNATURE", proof))).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(403), t => t.Reason.ShouldBe("missing-scope"));
        paid.Upstream.Requests.ShouldBeEmpty();
        await paid.Of<CallerDesk>().PutAsync(new Turnpike.Catalog.Caller("agent") { Scopes = ["read"] }, default);
        paid.Rail.Verdict = () => { paid.Of<CallerDesk>().PutAsync(new Turnpike.Catalog.Caller("agent") { Scopes = ["read", "more"] }, default).AsTask().GetAwaiter().GetResult(); return null; };
        (await paid.GetAsync("/history/paris", ("x-api-key", key), ("PAYMENT-SIGNATURE", proof))).Status.ShouldBe(200, "what is left suffices, and nothing was taken before");
        await paid.ShouldBalanceAsync();
    }

    private async Task<Told> SearchAsync((string, string?) who) => await gate.GetAsync("/companies", who, ("Authorization", await gate.TokenAsync("9.00 USD")));

    private static HttpResponseMessage Json(string text) => new(HttpStatusCode.OK) { Content = new StringContent(text, Encoding.UTF8, "application/json") };
}
