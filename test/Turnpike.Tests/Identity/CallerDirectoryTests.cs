using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Identity;

/// <summary>Who asks: a key that is presented is checked even where none is needed.</summary>
public sealed class CallerDirectoryTests : IDisposable
{
    private const string Callers = "callers: { analyst: { keys: [\"${env:AGENT_KEY}\"], plan: pro, scopes: [companies:read, companies:export] } }\nplans: { pro: {} }\n";

    private readonly TestGate gate = new();

    public void Dispose() => gate.Dispose();

    private static string Key => Catalog.Documents.Variables["AGENT_KEY"];

    [Theory]
    [InlineData("apikey", "k1")]
    [InlineData("x-api-key", "k1")]
    [InlineData("x-goog-api-key", "k1")]
    [InlineData("Authorization", "Bearer k1")]
    [InlineData("Authorization", "bearer k1")]
    [InlineData("Authorization", "Bearer tpk_0000000000000000000000000000000000000000")]
    public async Task A_key_nobody_has_is_refused_even_at_a_free_operation(string header, string value)
    {
        var told = await gate.GetAsync("/status", (header, value));
        (told.Status, told.Reason).ShouldBe((401, "unknown-key"));
        told.Headers.WWWAuthenticate.ToString().ShouldStartWith("Bearer realm=");
        told.Headers.WWWAuthenticate.ToString().ShouldContain("error=\"invalid_token\"");
        gate.Upstream.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Authorization", "Bearer tp_whatever")]
    [InlineData("Authorization", "Payment abc")]
    [InlineData("Payment-Authorization", "Payment abc")]
    public async Task Payments_are_not_keys(string header, string value) =>
        (await gate.GetAsync("/status", (header, value))).Status.ShouldBe(200);

    [Theory]
    [InlineData("apikey", "")]
    [InlineData("x-api-key", "")]
    [InlineData("x-goog-api-key", "")]
    [InlineData("Authorization", "Bearer ")]
    [InlineData("Authorization", "bearer ")]
    public async Task A_key_of_the_file_says_who_asks_and_the_upstream_is_told(string header, string scheme)
    {
        using var named = new TestGate(Callers);
        (await named.GetAsync("/status", (header, scheme + Key), ("Turnpike-Caller", "root"), ("Turnpike-Scopes", "all"))).Status.ShouldBe(200);
        var asked = named.Upstream.Requests.Single().Headers;
        (asked["Turnpike-Caller"], asked["Turnpike-Plan"], asked["Turnpike-Scopes"]).ShouldBe(("analyst", "pro", "companies:read companies:export"));
        asked.Keys.ShouldNotContain(header);
    }

    [Fact]
    public async Task A_key_made_here_works_beside_those_of_the_file_and_after_a_restart()
    {
        var key = await gate.KeyAsync("bot");
        key.ShouldMatch("^tpk_[0-9A-Za-z]{38}$");
        (await gate.GetAsync("/status", ("x-api-key", key))).Status.ShouldBe(200);
        using var again = gate.Restart();
        (await again.GetAsync("/status", ("x-api-key", key))).Status.ShouldBe(200);
        again.Upstream.Requests.Single().Headers["Turnpike-Caller"].ShouldBe("bot");
    }

    [Fact]
    public async Task The_same_operation_takes_keys_and_terms_side_by_side()
    {
        var key = await gate.KeyAsync();
        var terms = await gate.GetAsync("/forecast/paris", ("Authorization", "Bearer " + key));
        terms.Status.ShouldBe(402, "who one is pays for nothing");
        terms.Headers.WWWAuthenticate.ToString().ShouldContain("header=\"Payment-Authorization\"");
        (await gate.GetAsync("/forecast/paris", ("Authorization", "Bearer " + key), ("PAYMENT-SIGNATURE", gate.Pay(terms)))).Status.ShouldBe(200);
        gate.Upstream.Requests.Single().Headers["Turnpike-Caller"].ShouldBe("agent");
    }

    [Fact]
    public async Task Terms_given_to_one_caller_are_not_anothers()
    {
        var (mine, theirs) = (await gate.KeyAsync("mine"), await gate.KeyAsync("theirs"));
        var proof = gate.Pay(await gate.GetAsync("/forecast/paris", ("x-api-key", mine)));
        (await gate.GetAsync("/forecast/paris", ("x-api-key", theirs), ("PAYMENT-SIGNATURE", proof))).Reason.ShouldBe("wrong-resource");
        (await gate.GetAsync("/forecast/paris", ("PAYMENT-SIGNATURE", proof))).Reason.ShouldBe("wrong-resource");
    }

    [Fact]
    public async Task A_revoked_key_is_refused_by_the_next_call()
    {
        var key = await gate.KeyAsync();
        (await gate.GetAsync("/status", ("x-api-key", key))).Status.ShouldBe(200);
        var desk = gate.Of<CallerDesk>();
        (await desk.RevokeAsync((await desk.KeysAsync("agent", default)).Single().Id, "leaked", default)).ShouldBeTrue();
        (await gate.GetAsync("/status", ("x-api-key", key))).Reason.ShouldBe("key-revoked");
    }

    [Fact]
    public async Task A_suspended_caller_is_served_again_when_it_is_active()
    {
        var key = await gate.KeyAsync();
        foreach (var (status, code) in new[] { (CallerStatus.Active, 200), (CallerStatus.Suspended, 403), (CallerStatus.Active, 200), (CallerStatus.Closed, 403) })
        {
            await gate.Of<CallerDesk>().PutAsync(new Caller("agent") { Status = status }, default);
            (await gate.GetAsync("/status", ("x-api-key", key))).Status.ShouldBe(code);
        }
    }

    [Fact]
    public async Task Keys_are_rolled_with_an_overlap()
    {
        var old = await gate.KeyAsync();
        var (_, young) = await gate.Of<CallerDesk>().RollAsync("agent", TimeSpan.FromHours(1), CredentialRules.None, null, default);
        (await gate.GetAsync("/status", ("x-api-key", old))).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromHours(1));
        (await gate.GetAsync("/status", ("x-api-key", old))).Reason.ShouldBe("key-expired");
        (await gate.GetAsync("/status", ("x-api-key", young))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_key_made_elsewhere_is_known_by_its_hash_and_is_one_callers()
    {
        await gate.KeyAsync();
        var hash = KeyHash.Parse("sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("their-old-key"u8))).ShouldNotBeNull();
        (await gate.GetAsync("/status", ("x-api-key", "their-old-key"))).Reason.ShouldBe("unknown-key");
        (await gate.Of<CallerDesk>().ImportAsync("agent", hash, CredentialRules.None, null, default)).ShouldNotBeNull();
        (await gate.GetAsync("/status", ("x-api-key", "their-old-key"))).Status.ShouldBe(200);
        (await gate.Of<CallerDesk>().ImportAsync("other", hash, CredentialRules.None, null, default)).ShouldBeNull();
    }

    [Fact]
    public async Task A_key_whose_caller_comes_later_opens_from_then_on_and_whoever_was_known_still_is()
    {
        var known = await gate.KeyAsync();
        (await gate.GetAsync("/status", ("x-api-key", known))).Status.ShouldBe(200);
        var (_, early) = await gate.Of<CallerDesk>().IssueAsync("late", CredentialRules.None, null, default);
        (await gate.GetAsync("/status", ("x-api-key", early))).Reason.ShouldBe("unknown-key");
        (await gate.Of<CallerDesk>().PutAsync(new Caller("late"), default)).Created.ShouldBeTrue();
        (await gate.GetAsync("/status", ("x-api-key", early))).Status.ShouldBe(200);
        (await gate.GetAsync("/status", ("x-api-key", known))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Two_different_keys_are_refused_and_the_same_one_twice_is_one()
    {
        var (one, two) = (await gate.KeyAsync(), await gate.KeyAsync());
        (await gate.GetAsync("/status", ("x-api-key", one), ("Authorization", "Bearer " + two))).Status.ShouldBe(400);
        (await gate.GetAsync("/status", ("x-api-key", one + "\n" + two))).Status.ShouldBe(400);
        (await gate.GetAsync("/status", ("x-api-key", one), ("Authorization", "Bearer " + one))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task No_table_and_no_log_holds_a_keys_text_or_its_plain_hash()
    {
        var key = await gate.KeyAsync();
        await gate.GetAsync("/status", ("x-api-key", key));
        var files = string.Concat(Directory.EnumerateFiles(gate.Folder, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)).Select(Latin1));
        files.ShouldContain(KeyText.Hint(key)[..8]);
        files.ShouldNotContain(key);
        files.ShouldNotContain(System.Text.Encoding.Latin1.GetString(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key))));
    }

    [Fact]
    public async Task Where_identity_is_required_nobody_is_told_a_price()
    {
        using var strict = new TestGate(document: TestGate.Document.Replace("price: free", "price: 0.01 USD, identity: required", StringComparison.Ordinal));
        var told = await strict.GetAsync("/status");
        (told.Status, told.Reason).ShouldBe((401, "identity-required"));
        told.Headers.ContainsKey("PAYMENT-REQUIRED").ShouldBeFalse();
        (await strict.GetAsync("/status", ("x-api-key", await strict.KeyAsync()))).Status.ShouldBe(402);
    }

    [Theory]
    [InlineData("free")]
    [InlineData("0.01 USD")]
    public async Task Where_the_upstream_checks_identity_its_credential_gets_through_alone(string price)
    {
        using var theirs = new TestGate(document: TestGate.Document.Replace("price: free", $"price: {price}, identity: upstream", StringComparison.Ordinal));
        (await theirs.GetAsync("/status", ("Authorization", "Bearer theirs"), ("x-api-key", "theirs too"))).Status.ShouldBe(200);
        var asked = theirs.Upstream.Requests.Single().Headers;
        (asked["Authorization"], asked["x-api-key"]).ShouldBe(("Bearer theirs", "theirs too"));
        asked.Keys.ShouldNotContain("x-upstream-key", "our own key beside it would open the door for anybody");
        asked.Keys.ShouldNotContain("Turnpike-Payer");
    }

    [Fact]
    public async Task The_upstreams_401_becomes_our_402_and_paying_opens()
    {
        using var theirs = new TestGate(document: TestGate.Document.Replace("price: free", "price: 0.01 USD, identity: upstream", StringComparison.Ordinal));
        theirs.Upstream.Answer = static (request, _) => Task.FromResult(request.Headers.Contains("x-upstream-key") ? ScriptedUpstream.Text("sunny") : ScriptedUpstream.Text("who?", System.Net.HttpStatusCode.Unauthorized));
        (await theirs.GetAsync("/status")).Status.ShouldBe(402);
        theirs.Upstream.Requests.ShouldBeEmpty("who presents nothing is told the price at once");
        var told = await theirs.GetAsync("/status", ("Authorization", "Bearer unknown"));
        (told.Status, told.Reason).ShouldBe((402, "payment-required"));
        told.Body.ShouldNotContain("who?");
        var paid = await theirs.GetAsync("/status", ("Authorization", "Bearer unknown"), ("PAYMENT-SIGNATURE", theirs.Pay(told)));
        (paid.Status, paid.Body).ShouldBe((200, "sunny"));
        theirs.Upstream.Requests.Last().Headers.Keys.ShouldNotContain("Authorization");
        await theirs.ShouldBalanceAsync();
    }

    private static string Latin1(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file, System.Text.Encoding.Latin1);
        return reader.ReadToEnd();
    }
}
