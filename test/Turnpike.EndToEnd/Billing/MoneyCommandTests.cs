using System.Net;
using System.Text.Json.Nodes;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Billing;

/// <summary>What an operator does about money on the command line, beside a running gateway.</summary>
public sealed class MoneyCommandTests
{
    [Fact]
    public async Task A_bought_token_and_its_top_up_are_refunded_each_once_and_a_dispute_is_shown_and_answered()
    {
        await using var shop = await TokenShop.StartAsync();
        var (token, _) = await shop.BuyAsync("search-tool", 1);
        var (_, topUp) = await shop.OrderAsync("search-tool", 1, token);
        shop.Stripe.Pay(topUp.Id);
        (await shop.SendAsync("GET", TokenShop.Done("search-tool", topUp))).Status.ShouldBe(HttpStatusCode.OK);
        var id = (await SaidAsync(shop.Gateway, "tokens", "show", token, "--json"))["id"]!.GetValue<string>();
        var bought = (await SaidAsync(shop.Gateway, "tokens", "purchases", id, "--json"))["purchases"]!.AsArray();
        bought.Select(p => $"{p!["topUp"]} {p["price"]!["amount"]} {p["refunded"]!["amount"]} {p["sandbox"]}").ShouldBe(["false 5.00 0.00 false", "true 5.00 0.00 false"]);
        var added = bought[1]!["id"]!.GetValue<string>();
        foreach (var _ in (int[])[1, 2])
            (await SaidAsync(shop.Gateway, "tokens", "refund", id, "--purchase", added, "--amount", "2.00 USD", "--reason", "half was wrong", "--key", "a", "--json"))["purchase"]!.GetValue<string>().ShouldBe(added);
        (await shop.Gateway.RunAsync("tokens", "refund", id, "--reason", "and the rest")).Said.ShouldContain("given back; token");
        (await shop.Gateway.RunAsync("tokens", "purchases", id)).Said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split("  ")[^1]).ShouldBe(["5.00 USD, 5.00 given back", "5.00 USD, 2.00 given back"]);
        shop.Stripe.Refunds.ShouldBe([200, 500], ignoreOrder: true);
        (await shop.Gateway.RunAsync("tokens", "refund", id, "--purchase", "buy_other", "--reason", "no")).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(3), r => r.Said.ShouldContain("purchase of this token"));

        var dispute = shop.Stripe.Objects.Dispute(shop.Stripe.Sessions[^1].Intent!, 300);
        var name = (string)dispute["id"]!;
        (await shop.Stripe.TellAsync(shop.Gateway.Url, shop.Stripe.Objects.Events.Last(e => e.Type == "charge.dispute.created"), TimeProvider.System.GetUtcNow())).ShouldBe(HttpStatusCode.OK);
        (await shop.Gateway.RunAsync("disputes", "list")).Said.ShouldContain($"{name}  ");
        (await shop.Gateway.RunAsync("disputes", "show", name)).Said.ShouldContain("product_description: Prepaid access to the API operation search-tool");
        (await shop.Gateway.RunAsync("disputes", "answer", name, "--words", "It was delivered.")).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(0), r => r.Said.ShouldContain("under_review"));
        ((string?)dispute["evidence"]!["refund_refusal_explanation"], (await shop.Gateway.RunAsync("disputes", "answer", name)).Code).ShouldBe(("It was delivered.", 3));
    }

    [Fact]
    public async Task What_was_bought_with_test_money_is_refunded_and_said_to_be_test_money()
    {
        await using var shop = await TokenShop.StartAsync(text => text[..text.IndexOf("    checkout:", StringComparison.Ordinal)].Replace("gateway:\n", "gateway:\n  sandbox: true\n", StringComparison.Ordinal) + text[text.IndexOf("\nservices:", StringComparison.Ordinal)..]);
        var sold = await shop.SendAsync("POST", "/buy/search-tool", """{"bundle":1}""");
        (sold.Status, sold.Json["sandbox"]!.GetValue<bool>()).ShouldBe((HttpStatusCode.Created, true));
        var token = sold.Json["token"]!.GetValue<string>();
        var id = (await SaidAsync(shop.Gateway, "tokens", "show", token, "--json"))["id"]!.GetValue<string>();
        (await shop.Gateway.RunAsync("tokens", "refund", id, "--amount", "2.00 USD", "--reason", "half was wrong")).Said.ShouldContain($"given back as test money; token {id} is active, 3.00 USD left");
        (await shop.Gateway.RunAsync("tokens", "purchases", id)).Said.ShouldContain("bought  5.00 USD of test money, 2.00 given back");
        var page = await shop.SendAsync("GET", new Uri(sold.Json["done"]!.GetValue<string>()).PathAndQuery);
        (page.Json["sandbox"]!.GetValue<bool>(), page.Json["refunded"]!["amount"]!.GetValue<string>(), page.Json["available"]!["amount"]!.GetValue<string>()).ShouldBe((true, "2.00", "3.00"));
        (await shop.Gateway.RunAsync("tokens", "refund", id, "--reason", "and the rest")).Said.ShouldContain("is revoked, 0.00 USD left");
        (await shop.SendAsync("GET", "/g/search-tool/x", token: token)).Reason.ShouldBe("token-revoked");
    }

    [Fact]
    public async Task Invoices_are_credited_once_voided_and_given_up_with_a_reason()
    {
        await using var billed = await BilledGateway.StartAsync();
        var first = await BilledAsync(billed);
        foreach (var _ in (int[])[1, 2])
            (await SaidAsync(billed.Gateway, "invoices", "credit", first, "--amount", "0.10 USD", "--reason", "half a day down", "--key", "a", "--json"))["credited"]!["amount"]!.GetValue<string>().ShouldBe("0.10");
        (await billed.Gateway.RunAsync("invoices", "credit", first, "--amount", "9.00 USD", "--reason", "more")).Code.ShouldBe(3, "more than was charged");
        (await SaidAsync(billed.Gateway, "invoices", "pay", first, "--reference", "wire 4711", "--json"))["status"]!.GetValue<string>().ShouldBe("paid");

        var second = await BilledAsync(billed);
        (await billed.Gateway.RunAsync("invoices", "void", second)).Code.ShouldBe(2, "why?");
        (await SaidAsync(billed.Gateway, "invoices", "void", second, "--reason", "wrong caller", "--json"))["status"]!.GetValue<string>().ShouldBe("void");

        var third = await BilledAsync(billed);
        (await SaidAsync(billed.Gateway, "invoices", "give-up", third, "--reason", "insolvent", "--json"))["status"]!.GetValue<string>().ShouldBe("uncollectible");
        (await billed.Gateway.RunAsync("invoices", "void", first, "--reason", "again")).Code.ShouldBe(3, "what is paid stays paid");
        billed.Stripe.Objects.All("invoice").Select(i => (string)i["status"]!).ShouldBe(["paid", "void", "uncollectible"], ignoreOrder: true);
    }

    /// <summary>A call, a month, and the invoice over it as it was sent.</summary>
    private static async Task<string> BilledAsync(BilledGateway billed)
    {
        var call = await billed.CallAsync();
        call.Status.ShouldBe(HttpStatusCode.OK, call.Body);
        await billed.OwesAsync("0.25");
        await billed.KillAsync();
        await billed.PassMonthAsync();
        await billed.StartAgainAsync();
        string? sent = null;
        await Until.HoldsAsync("it is sent", async () => (sent = await OpenAsync(billed)) is not null);
        return sent!;
    }

    // The double's clock stands still: what is sent months later is due before it is sent.
    private static async Task<string?> OpenAsync(BilledGateway billed) =>
        (string?)(await billed.CallAsync("/invoices")).Json["invoices"]!.AsArray().FirstOrDefault(i => (string?)i!["status"] is "open" or "past_due")?["id"];

    private static async Task<JsonNode> SaidAsync(TurnpikeProcess gateway, params string[] args)
    {
        var (code, said) = await gateway.RunAsync(args);
        code.ShouldBe(0, $"turnpike {string.Join(' ', args)}: {said}");
        return JsonNode.Parse(said)!;
    }
}
