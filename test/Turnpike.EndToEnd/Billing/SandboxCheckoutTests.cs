using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Demo;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Billing;

/// <summary>The checkout with test money, for a browser and for an agent, and its absence everywhere else.</summary>
public sealed class SandboxCheckoutTests : IAsyncLifetime
{
    private const string Html = "text/html,application/xhtml+xml;q=0.9";
    private readonly string folder = Directory.CreateTempSubdirectory("turnpike-sandbox-").FullName;
    private readonly HttpMessageInvoker http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
    private readonly List<IAsyncDisposable> running = [];
    private DemoUpstream? upstream;
    private Uri? url;
    private WebApplication? app;

    public async ValueTask InitializeAsync()
    {
        upstream = await DemoUpstream.StartAsync("key", default);
        url = await ServeAsync("sandbox", text => text);
    }

    [Fact]
    public async Task An_agent_reads_what_is_sold_and_buys_a_token_that_works()
    {
        var ware = await SendAsync(HttpMethod.Get, "/buy/forecast");
        (ware.Status, ware.Json["sandbox"]!.GetValue<bool>(), ware.Json["buy"]!["least"]!["amount"]!.GetValue<string>()).ShouldBe((HttpStatusCode.OK, true, "0.01"));
        ware.Json["notice"]!.GetValue<string>().ShouldStartWith("TEST MONEY");
        var sold = await SendAsync(HttpMethod.Post, "/buy/forecast", """{"budget":"0.02 USD"}""");
        sold.Status.ShouldBe(HttpStatusCode.Created);
        var token = "Bearer " + sold.Json["token"]!.GetValue<string>();
        (await SendAsync(HttpMethod.Get, "/forecast/rome", null, ("Authorization", token))).Status.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Get, "/forecast/rome", null, ("Authorization", token))).Header("Turnpike-Remaining").ShouldBe("0.00 USD");
        (await SendAsync(HttpMethod.Get, "/forecast/rome", null, ("Authorization", token))).Reason.ShouldBe("token-exhausted");
        (await SendAsync(HttpMethod.Post, "/reports", "{}", ("Authorization", token))).Reason.ShouldBe("token-wrong-operation");
    }

    [Fact]
    public async Task A_person_fills_in_a_form_with_a_labelled_field_and_is_shown_the_token()
    {
        var form = await SendAsync(HttpMethod.Get, "/buy/forecast", null, ("Accept", Html));
        form.Header("Content-Type").ShouldBe("text/html; charset=utf-8");
        foreach (var part in (string[])["TEST MONEY", "<form method=\"post\" action=\"/buy/forecast\">", "<label for=\"budget\">", "<button type=\"submit\">", "lang=\"en\""]) form.Body.ShouldContain(part);
        form.Body.ShouldNotContain("<script");
        form.Header("Content-Security-Policy")!.ShouldContain("default-src 'none'");
        var sold = await SendAsync(HttpMethod.Post, "/buy/forecast", "budget=0.05", ("Accept", Html), ("Content-Type", "application/x-www-form-urlencoded"));
        sold.Status.ShouldBe(HttpStatusCode.Found);
        var till = await SendAsync(HttpMethod.Get, Below(sold.Header("Location")!), null, ("Accept", Html));
        till.Body.ShouldContain("Pay 0.05 USD of test money");
        var session = Below(sold.Header("Location")!).Split("session_id=")[1];
        (await SendAsync(HttpMethod.Get, $"/buy/forecast/done?session_id={session}", null, ("Accept", Html))).Body.ShouldContain("Waiting for the payment");
        var paid = await SendAsync(HttpMethod.Post, "/buy/forecast/till", $"session_id={session}&pay=yes", ("Accept", Html), ("Content-Type", "application/x-www-form-urlencoded"));
        paid.Status.ShouldBe(HttpStatusCode.Found);
        var done = await SendAsync(HttpMethod.Get, Below(paid.Header("Location")!), null, ("Accept", Html));
        foreach (var page in (Answered[])[till, done])
        {
            page.Body.ShouldContain("TEST MONEY");
            page.Header("Cache-Control")!.ShouldContain("no-store");
        }
        done.Body.ShouldContain("value=\"tp_");
    }

    /// <summary>The article's story, with test money from beginning to end: 402, a token, calls until 402, a top-up, calls, 402; the books balance.</summary>
    [Fact]
    public async Task The_story_402_buy_calls_402_top_up_calls_402()
    {
        var refused = await SendAsync(HttpMethod.Get, "/forecast/rome");
        refused.Status.ShouldBe(HttpStatusCode.PaymentRequired);
        var shop = Below(refused.Json["offers"]!.AsArray().Single(o => o!["protocol"]!.GetValue<string>() == "prepaid")!["url"]!.GetValue<string>());
        shop.ShouldBe("/buy/forecast");

        var sold = await SendAsync(HttpMethod.Post, shop, """{"budget":"0.03 USD"}""");
        var text = sold.Json["token"]!.GetValue<string>();
        (string, string) token = ("Authorization", "Bearer " + text);
        string? receipt = null;
        for (var call = 1; call <= 3; call++)
        {
            var answer = await SendAsync(HttpMethod.Get, $"/forecast/rome?day={call}", null, token);
            (answer.Status, answer.Header("Turnpike-Remaining")).ShouldBe((HttpStatusCode.OK, $"0.0{3 - call} USD"));
            receipt = Below(answer.Header("Turnpike-Receipt")!);
        }
        (await SendAsync(HttpMethod.Get, receipt!)).Json["sandbox"]!.GetValue<bool>().ShouldBeTrue("every receipt says what money it was");
        var used = await SendAsync(HttpMethod.Get, "/forecast/rome", null, token);
        (used.Status, used.Reason).ShouldBe((HttpStatusCode.PaymentRequired, "token-exhausted"));

        var again = await SendAsync(HttpMethod.Get, Below(sold.Json["done"]!.GetValue<string>()));
        again.Json["token"]!.GetValue<string>().ShouldBe(text, "the same token, from the purchase alone");
        var topUp = await SendAsync(HttpMethod.Post, shop, """{"budget":"0.02 USD"}""", token);
        (topUp.Status, topUp.Json["available"]!["amount"]!.GetValue<string>(), topUp.Json["token"]).ShouldBe((HttpStatusCode.Created, "0.02", null));
        for (var call = 1; call <= 2; call++) (await SendAsync(HttpMethod.Get, "/forecast/rome", null, token)).Status.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Get, "/forecast/rome", null, token)).Reason.ShouldBe("token-exhausted");

        var books = await app!.Services.GetRequiredService<Turnpike.Ledger.ILedger>().VerifyAsync(default);
        books.Findings.ShouldBeEmpty();
        books.Totals.Single(t => t.Role == "revenue").Sum.ToString().ShouldBe("0.05 USD");
        books.Totals.Single(t => t.Role == "external").Sum.ToString().ShouldBe("-0.05 USD");
        (await app.Services.GetRequiredService<Turnpike.Audit.IAuditTrail>().VerifyAsync(default)).Intact.ShouldBeTrue();
    }

    [Fact]
    public async Task A_token_is_shown_again_replaced_and_topped_up_and_a_cancelled_order_sells_nothing()
    {
        var sold = await SendAsync(HttpMethod.Post, "/buy/forecast", """{"budget":"0.02 USD"}""");
        var session = sold.Json["rotate"]!["format"]!.GetValue<string>().Split('"')[3];
        var rotated = await SendAsync(HttpMethod.Post, "/buy/forecast/rotate", $$"""{"session_id":"{{session}}"}""");
        var (old, next) = (sold.Json["token"]!.GetValue<string>(), rotated.Json["token"]!.GetValue<string>());
        next.ShouldNotBe(old);
        (await SendAsync(HttpMethod.Get, "/forecast/rome", null, ("Authorization", "Bearer " + old))).Reason.ShouldBe("token-revoked");
        (await SendAsync(HttpMethod.Get, "/forecast/rome", null, ("Authorization", "Bearer " + next))).Header("Turnpike-Remaining").ShouldBe("0.01 USD");
        (await SendAsync(HttpMethod.Post, "/buy/forecast", """{"budget":"0.02 USD"}""", ("Authorization", "Bearer " + old))).Reason.ShouldBe("malformed-request", "a revoked token takes no money");

        var order = await SendAsync(HttpMethod.Post, "/buy/forecast", "budget=0.05", ("Accept", Html), ("Content-Type", "application/x-www-form-urlencoded"));
        var left = Below(order.Header("Location")!).Split("session_id=")[1];
        await SendAsync(HttpMethod.Post, "/buy/forecast/till", $"session_id={left}&pay=no", ("Accept", Html), ("Content-Type", "application/x-www-form-urlencoded"));
        (await SendAsync(HttpMethod.Get, $"/buy/forecast/done?session_id={left}")).Status.ShouldBe(HttpStatusCode.Gone);
        await SendAsync(HttpMethod.Post, "/buy/forecast/till", $"session_id={left}&pay=yes", ("Accept", Html), ("Content-Type", "application/x-www-form-urlencoded"));
        (await SendAsync(HttpMethod.Get, $"/buy/forecast/done?session_id={left}")).Status.ShouldBe(HttpStatusCode.Gone, "what is ended stays so");
        (await SendAsync(HttpMethod.Post, "/buy/forecast/till", """{"session_id":"cs_sandbox_guess","pay":"yes"}""")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("application/json", """{"budget":"0.009 USD"}""")]
    [InlineData("application/json", """{"budget":"10.01 USD"}""")]
    [InlineData("application/json", """{"budget":"1 EUR"}""")]
    [InlineData("application/json", """{"budget":-1}""")]
    [InlineData("application/json", "[]")]
    [InlineData("application/json", "{")]
    [InlineData("application/x-www-form-urlencoded", "budget=<b>")]
    [InlineData("application/x-www-form-urlencoded", "other=1")]
    [InlineData("multipart/form-data; boundary=x", "zzz")]
    public async Task An_order_that_makes_no_sense_is_400_and_says_what_a_budget_may_be(string type, string body)
    {
        var refused = await SendAsync(HttpMethod.Post, "/buy/forecast", body, ("Content-Type", type));
        (refused.Status, refused.Reason).ShouldBe((HttpStatusCode.BadRequest, "malformed-request"));
        refused.Body.ShouldContain("between 0.01 USD and 10.00 USD");
        var page = await SendAsync(HttpMethod.Post, "/buy/forecast", body, ("Content-Type", type), ("Accept", Html));
        page.Status.ShouldBe(HttpStatusCode.BadRequest);
        page.Body.ShouldContain("role=\"alert\"");
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("status")]
    public async Task What_has_no_price_is_not_for_sale(string operation)
    {
        (await SendAsync(HttpMethod.Get, $"/buy/{operation}")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await SendAsync(HttpMethod.Post, $"/buy/{operation}", "{}")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    /// <summary>The attack: a real gateway that gives tokens away to whoever knows the path.</summary>
    [Fact]
    public async Task A_gateway_that_is_no_sandbox_gives_nothing_away()
    {
        url = await ServeAsync("real", text => text.Replace("sandbox: true", "sandbox: false", StringComparison.Ordinal));
        (await SendAsync(HttpMethod.Get, "/buy/forecast")).Status.ShouldBe(HttpStatusCode.NotFound);
        var refused = await SendAsync(HttpMethod.Post, "/buy/forecast", """{"budget":"0.05 USD"}""");
        refused.Status.ShouldBe(HttpStatusCode.NotFound);
        refused.Body.ShouldNotContain("tp_");
        (await SendAsync(HttpMethod.Post, "/buy/forecast/till", """{"session_id":"cs_sandbox_x","pay":"yes"}""")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        foreach (var each in running) await each.DisposeAsync();
        await upstream!.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private async Task<Uri> ServeAsync(string name, Func<string, string> edit)
    {
        var port = Ports.Next();
        var path = Path.Combine(folder, name + ".yaml");
        await File.WriteAllTextAsync(path, edit(DemoDocument.Text(port, Ports.Next(), Path.Combine(folder, name + ".db"), chain: false)));
        var variables = new Dictionary<string, string> { ["TURNPIKE_ADMIN_KEY"] = "a", ["TURNPIKE_TOKEN_SECRET"] = new('s', 64), ["UPSTREAM"] = upstream!.Url.GetLeftPart(UriPartial.Authority), ["UPSTREAM_KEY"] = "key" };
        var source = new CatalogSource(Language.Loader, new ConfigEnvironment(variables.GetValueOrDefault, _ => null), path, TimeProvider.System, NullLogger<CatalogSource>.Instance);
        var read = source.Open();
        read.Catalog.ShouldNotBeNull(string.Join('\n', read.ErrorLines));
        app = await Serving.StartAsync(source, default);
        running.Add(new Stop(app));
        return new Uri($"http://127.0.0.1:{port}");
    }

    private async Task<Answered> SendAsync(HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(url!, path));
        if (body is not null) request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        foreach (var (name, value) in headers)
        {
            if (name == "Content-Type") request.Content!.Headers.Remove(name);
            if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content!.Headers.TryAddWithoutValidation(name, value);
        }
        using var response = await http.SendAsync(request, default);
        return await Answered.ReadAsync(response);
    }

    private static string Below(string url) => new Uri(url).PathAndQuery;

    /// <summary>Ends a gateway, whose books balance and whose trail verifies after every story.</summary>
    private sealed class Stop(WebApplication app) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            (await app.Services.GetRequiredService<Turnpike.Ledger.ILedger>().VerifyAsync(default)).Findings.ShouldBeEmpty();
            (await app.Services.GetRequiredService<Turnpike.Audit.IAuditTrail>().VerifyAsync(default)).Intact.ShouldBeTrue();
            await app.StopAsync();
            await app.DisposeAsync();
        }
    }
}
