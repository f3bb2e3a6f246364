using System.Globalization;
using Turnpike.Catalog;
using Turnpike.Identity.Organisations;
using Turnpike.Ledger;
using Turnpike.Payments;
using Turnpike.Plans;
using Turnpike.Plans.Grants;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Gateway;
using Turnpike.Tokens;

namespace Turnpike.Tests.Payments.Included;

/// <summary>Organisation, caller, key, token, task: every level is held in the same act, and a refusal names the level.</summary>
public sealed class HierarchyTests
{
    private static TestGate Gate(string organisation = "", string more = "") => new(document: $$"""
        payments: { prepaid: { secret: "${env:TURNPIKE_TOKEN_SECRET}" }, balance: true }
        services: { s: { upstream: "${env:UPSTREAM}", operations: { paid: { match: GET /paid, price: 0.01 USD } } } }
        {{(organisation.Length == 0 ? "" : $"organisations: {{ Acme Corp: {{ caps: [{organisation}] }} }}")}}
        {{more}}
        """);

    private static Caller Acme(Caller caller, params string[] caps) => caller with { Organisation = "Acme Corp", Caps = [.. caps.Select(Read)] };

    private static Cap Read(string text)
    {
        Cap.TryParse(text, CapScope.Caller, out var cap).ShouldBeTrue(text);
        cap.ToString().ShouldBe(text);
        return cap;
    }

    private static async Task<Told> CallAsync(TestGate gate, string key, string? token, string? task = null) =>
        await gate.GetAsync("/paid", ("apikey", key), ("Authorization", token), ("Turnpike-Task", task));

    [Theory]
    [InlineData("organisation")]
    [InlineData("caller")]
    [InlineData("key")]
    [InlineData("token")]
    [InlineData("task")]
    public async Task A_hundred_concurrent_calls_on_37_at_each_level(string level)
    {
        using var gate = Gate(level == "organisation" ? "{ amount: 0.37 USD, per: 1mo }" : "{ amount: 500.00 USD }");
        string[] caps = level == "organisation" ? [] : ["99.00 USD each caller", $"0.37 USD per 1d each {level}"];
        var key = await gate.KeyAsync("agent", change: c => Acme(c, caps));
        var other = await gate.KeyAsync("colleague", change: c => Acme(c));
        var token = await gate.TokenAsync("100.00 USD");
        var told = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() => CallAsync(gate, level == "organisation" && i % 2 == 1 ? other : key, token, "t1"))));
        (told.Count(t => t.Status == 200), told.Count(t => t.Reason == "cap-reached"), gate.Upstream.Requests.Count).ShouldBe((37, 63, 37));
        told.Where(t => t.Status != 200).Select(t => t.Json.GetProperty("level").GetString()).Distinct().ShouldBe([level]);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_hundred_concurrent_calls_on_37_of_an_organisation_the_file_does_not_name_paid_by_its_own_balance()
    {
        using var gate = Gate();
        await gate.Of<OrganisationDesk>().PutAsync(new Organisation("Acme Corp") { Caps = [new Cap(new Money(Money.Nano * 37 / 100, "USD"), null, CapScope.Organisation)] }, default);
        for (var i = 0; i < 5; i++) (await gate.Of<GrantDesk>().GrantAsync(new Grant(Organisation.Holder("Acme Corp"), $"g{i}", GrantKind.Paid, new Money(Money.Nano / 10, "USD")), default)).ShouldNotBeNull();
        string[] keys = [await gate.KeyAsync("agent", change: c => Acme(c)), await gate.KeyAsync("colleague", change: c => Acme(c))];
        var told = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() => CallAsync(gate, keys[i % 2], null))));
        (told.Count(t => t.Status == 200), told.Count(t => t.Reason == "cap-spent"), gate.Upstream.Requests.Count).ShouldBe((37, 63, 37));
        told.Where(t => t.Status != 200).Select(t => t.Json.GetProperty("level").GetString()).Distinct().ShouldBe(["organisation"]);
        (await gate.Of<GrantDesk>().ListAsync(Organisation.Holder("Acme Corp"), 100, default)).Sum(s => s.Left.Units).ShouldBe(Money.Nano * 13 / 100);
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task Each_caller_key_token_and_task_has_its_own_and_all_of_an_organisation_share_one()
    {
        using var gate = Gate("{ amount: 0.06 USD, per: 1d }, { amount: 0.04 USD, per: 1d, each: caller }");
        var (one, two) = (await gate.KeyAsync("a", change: c => Acme(c, "0.02 USD per 1d each token", "0.01 USD per 1d each task")), await gate.KeyAsync("b", change: c => Acme(c)));
        var (x, y) = (await gate.TokenAsync(), await gate.TokenAsync());
        (await CallAsync(gate, one, x, "t")).Status.ShouldBe(200);
        (await CallAsync(gate, one, x, "t")).Json.GetProperty("level").GetString().ShouldBe("task");
        (await CallAsync(gate, one, x, "u")).Status.ShouldBe(200);
        (await CallAsync(gate, one, x)).Json.GetProperty("level").GetString().ShouldBe("token");
        (await CallAsync(gate, one, y)).Status.ShouldBe(200);
        (await CallAsync(gate, one, y)).Status.ShouldBe(200);
        (await CallAsync(gate, one, await gate.TokenAsync())).Json.GetProperty("level").GetString().ShouldBe("caller");
        (await CallAsync(gate, two, y)).Status.ShouldBe(200);
        (await CallAsync(gate, two, y)).Status.ShouldBe(200);
        var told = await CallAsync(gate, two, y);
        (told.Status, told.Reason, told.Json.GetProperty("level").GetString(), told.Json.GetProperty("limit").GetString()).ShouldBe((429, "cap-reached", "organisation", "0.06"));
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_cap_in_all_is_403_and_does_not_come_back_by_waiting()
    {
        using var gate = Gate();
        var key = await gate.KeyAsync("agent", change: c => Acme(c, "0.02 USD each caller"));
        var token = await gate.TokenAsync();
        for (var i = 0; i < 2; i++) (await CallAsync(gate, key, token)).Status.ShouldBe(200);
        gate.Time.Pass(TimeSpan.FromDays(400));
        var told = await CallAsync(gate, key, token);
        (told.Status, told.Reason, told.Headers.RetryAfter.Count).ShouldBe((403, "cap-spent", 0));
        told.Json.GetProperty("detail").GetString().ShouldBe("The caller may spend 0.02 USD in all; 0.00 USD is left, and this call costs up to 0.01 USD.");
    }

    [Fact]
    public async Task A_cap_that_is_lowered_holds_at_once_and_one_that_is_raised_opens_at_once()
    {
        using var gate = Gate("{ amount: 0.05 USD }");
        var key = await gate.KeyAsync("agent", change: c => Acme(c));
        var token = await gate.TokenAsync();
        for (var i = 0; i < 2; i++) (await CallAsync(gate, key, token)).Status.ShouldBe(200);
        gate.Edit("0.05 USD", "0.03 USD");
        (await CallAsync(gate, key, token)).Status.ShouldBe(200);
        (await CallAsync(gate, key, token)).Reason.ShouldBe("cap-spent");
        gate.Edit("0.03 USD", "0.02 USD");
        (await CallAsync(gate, key, token)).Reason.ShouldBe("cap-spent");
        gate.Edit("0.02 USD", "0.05 USD");
        for (var i = 0; i < 2; i++) (await CallAsync(gate, key, token)).Status.ShouldBe(200);
        (await CallAsync(gate, key, token)).Reason.ShouldBe("cap-spent");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_balance_is_capped_like_any_payment()
    {
        using var gate = Gate("{ amount: 0.03 USD, per: 1d }");
        var key = await gate.KeyAsync("agent", change: c => Acme(c));
        for (var i = 0; i < 4; i++) await gate.Of<GrantDesk>().GrantAsync(new Grant("agent", $"g{i}", GrantKind.Paid, new Money(Money.Nano * 15 / 1000, "USD")), default);
        for (var i = 0; i < 3; i++) (await CallAsync(gate, key, null)).Status.ShouldBe(200);
        (await CallAsync(gate, key, null)).Json.GetProperty("level").GetString().ShouldBe("organisation");
        await gate.ShouldBalanceAsync();
    }

    [Fact]
    public async Task A_tokens_own_caps_hold_without_any_caller()
    {
        using var gate = Gate();
        var token = await gate.TokenAsync(change: o => o with { Caps = [Read("0.03 USD per 1d each token"), Read("0.02 USD each task")] });
        for (var i = 0; i < 2; i++) (await gate.GetAsync("/paid", ("Authorization", token), ("Turnpike-Task", "t"))).Status.ShouldBe(200);
        (await gate.GetAsync("/paid", ("Authorization", token), ("Turnpike-Task", "t"))).Reason.ShouldBe("cap-spent");
        (await gate.GetAsync("/paid", ("Authorization", token))).Status.ShouldBe(200);
        (await gate.GetAsync("/paid", ("Authorization", token))).Reason.ShouldBe("cap-reached");
        gate.Time.Pass(TimeSpan.FromDays(1));
        (await gate.GetAsync("/paid", ("Authorization", token))).Status.ShouldBe(200);
    }

    [Fact]
    public async Task After_a_crash_what_was_held_counts_no_more_on_any_level()
    {
        using var gate = Gate("{ amount: 0.02 USD }");
        var key = await gate.KeyAsync("agent", change: c => Acme(c, "0.02 USD each caller", "0.02 USD each key", "0.02 USD each token", "0.02 USD each task"));
        var token = await gate.TokenAsync();
        TestGate? next = null;
        gate.Upstream.Answer = (_, _) =>
        {
            next = gate.Restart(); // the process that held it is gone, and its answer with it
            throw new HttpRequestException("gone");
        };
        try { await CallAsync(gate, key, token, "t"); } catch (ObjectDisposedException) { }
        using var after = next.ShouldNotBeNull();
        await after.Of<Settler>().RecoverAsync(default);
        for (var i = 0; i < 2; i++) (await CallAsync(after, key, token, "t")).Status.ShouldBe(200);
        (await CallAsync(after, key, token, "t")).Reason.ShouldBe("cap-spent");
        await after.ShouldBalanceAsync();
    }

    /// <summary>The oracle: what was spent under each name, and the first cap that a call would break, from the largest level down.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Random_trees_of_caps_agree_with_a_simple_oracle(int seed)
    {
        var random = new Random(seed);
        var caps = Enum.GetValues<CapScope>().Where(_ => random.Next(4) > 0).Select(each => new Cap(Some(random.Next(1, 12) * (5 - (int)each)), random.Next(2) == 0 ? null : new Period(1, "d", Period.DefaultAnchor, TimeZoneInfo.Utc), each)).ToList();
        using var gate = Gate(string.Join(", ", caps.Where(c => c.Each == CapScope.Organisation).Select(c => $"{{ amount: {c.Amount}{(c.Per is null ? "" : ", per: 1d")} }}").DefaultIfEmpty("{ amount: 500.00 USD }")));
        List<(string Caller, string Key)> keys = [];
        foreach (var caller in new[] { "a", "a", "b" }) keys.Add((caller, await gate.KeyAsync(caller, change: c => c with { Organisation = "Acme Corp", Caps = [.. caps.Where(cap => cap.Each != CapScope.Organisation)] })));
        string[] tokens = [await gate.TokenAsync("9.00 USD"), await gate.TokenAsync("9.00 USD")];
        Dictionary<string, long> spent = new(StringComparer.Ordinal);
        for (var i = 0; i < 120; i++)
        {
            if (random.Next(40) == 0) gate.Time.Pass(TimeSpan.FromDays(1));
            var (key, token, task) = (random.Next(3), random.Next(2), random.Next(3) is var t && t == 0 ? null : $"t{t}");
            var broken = random.Next(6) == 0;
            gate.Upstream.Says(() => ScriptedUpstream.Text("x", broken ? System.Net.HttpStatusCode.BadGateway : System.Net.HttpStatusCode.OK));
            var told = await CallAsync(gate, keys[key].Key, tokens[token], task);
            var counted = caps.Where(c => c.Each != CapScope.Task || task is not null).Select(c => (Cap: c, Name: Name(c, keys[key].Caller, key, token, task, gate.Time.GetUtcNow()))).ToList();
            var first = counted.OrderBy(c => c.Cap.Each).FirstOrDefault(c => spent.GetValueOrDefault(c.Name) + 1 > c.Cap.Amount.Units / (Money.Nano / 100));
            if (first.Name is not null) (told.Status is 429 or 403, told.Json.GetProperty("level").GetString()).ShouldBe((true, Cap.Text(first.Cap.Each)), $"call {i}");
            else told.Status.ShouldBe(broken ? 502 : 200, $"call {i}");
            if (told.Status == 200) foreach (var (_, name) in counted) spent[name] = spent.GetValueOrDefault(name) + 1;
        }
        await gate.ShouldBalanceAsync();

        static Money Some(int cents) => new(cents * Money.Nano / 100, "USD");

        static string Name(Cap cap, string caller, int key, int token, string? task, DateTimeOffset now) => string.Create(CultureInfo.InvariantCulture, $"{cap.Each} {cap.Each switch { CapScope.Organisation => "", CapScope.Caller => caller, CapScope.Key => $"{key}", CapScope.Token => $"{token}", _ => $"{caller} {task}" }} {(cap.Per is null ? "" : now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))}");
    }
}
