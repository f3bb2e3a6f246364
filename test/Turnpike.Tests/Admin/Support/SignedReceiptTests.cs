using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Turnpike.Admin.Cli;

namespace Turnpike.Tests.Admin.Support;

/// <summary>Receipts and evidence prove themselves, far from the gateway that wrote them.</summary>
public sealed class SignedReceiptTests
{
    [Fact]
    public async Task A_receipt_verifies_offline_and_says_what_was_paid_and_is_left()
    {
        await using var gateway = await RunningGateway.StartAsync();
        using var answer = await gateway.CallAsync("/paid", await gateway.TokenAsync("0.03 USD"));
        var url = answer.Headers.GetValues("Turnpike-Receipt").Single();
        var keys = await KeysAsync(gateway);
        var json = await gateway.Http.GetStringAsync(new Uri(url));
        var jws = await gateway.Http.GetStringAsync(new Uri(url + ".jws"));
        using var asked = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { { "Accept", "application/jose" } } };
        using var jose = await gateway.Http.SendAsync(asked);
        jose.Content.Headers.ContentType!.MediaType.ShouldBe("application/jose");
        foreach (var text in (string[])[json, jws, await jose.Content.ReadAsStringAsync()])
        {
            var (code, output, err) = await VerifyAsync(text, keys);
            code.ShouldBe(0, err);
            var said = RunningGateway.Json(output);
            said.GetProperty("amount").ToString().ShouldBe("""{"amount":"0.01","currency":"USD"}""");
            said.GetProperty("remaining").ToString().ShouldBe("""{"amount":"0.02","currency":"USD"}""");
            said.GetProperty("iss").GetString().ShouldNotBeNullOrEmpty();
            url.ShouldEndWith("/receipts/" + said.GetProperty("id").GetString());
            said.GetProperty("correlation").GetString().ShouldBe(answer.Headers.GetValues("Turnpike-Correlation").Single());
        }
    }

    [Fact]
    public async Task A_changed_receipt_and_another_installations_are_refused_with_3()
    {
        await using var gateway = await RunningGateway.StartAsync();
        await using var other = await RunningGateway.StartAsync();
        using var answer = await gateway.CallAsync("/paid", await gateway.TokenAsync());
        var jws = await gateway.Http.GetStringAsync(new Uri(answer.Headers.GetValues("Turnpike-Receipt").Single() + ".jws"));
        var parts = jws.Split('.');
        var forged = Encoding.UTF8.GetString(Convert.FromBase64String(parts[1].Replace('-', '+').Replace('_', '/').PadRight(parts[1].Length + 3 & ~3, '='))).Replace("0.01", "9.99", StringComparison.Ordinal);
        var changed = $"{parts[0]}.{Convert.ToBase64String(Encoding.UTF8.GetBytes(forged)).TrimEnd('=').Replace('+', '-').Replace('/', '_')}.{parts[2]}";
        (await VerifyAsync(changed, await KeysAsync(gateway))).Code.ShouldBe(3);
        (await VerifyAsync(jws, await KeysAsync(other))).Code.ShouldBe(3);
        (await VerifyAsync(jws, await KeysAsync(gateway))).Code.ShouldBe(0);
        (await VerifyAsync("{}", await KeysAsync(gateway))).Code.ShouldBe(2);
    }

    [Fact]
    public async Task Evidence_tells_the_answer_as_it_left_and_verifies_offline_from_the_command_line()
    {
        await using var gateway = await RunningGateway.StartAsync();
        using var answer = await gateway.CallAsync("/paid", await gateway.TokenAsync());
        var body = await answer.Content.ReadAsByteArrayAsync();
        var receipt = answer.Headers.GetValues("Turnpike-Receipt").Single().Split('/')[^1];
        await gateway.AdminAsync(HttpMethod.Post, $"/admin/v1/payments/{receipt}/refund", """{"amount":"0.004 USD","reason":"wrong"}""", headers: [("Idempotency-Key", "k")]);
        var file = Path.GetTempFileName();
        using var err = new StringWriter();
        (await PaymentsCommand.EvidenceAsync(gateway.Config, RunningGateway.Environment, receipt, file, err, default)).ShouldBe(0, err.ToString());
        var (code, output, why) = await VerifyAsync(await File.ReadAllTextAsync(file), await KeysAsync(gateway));
        File.Delete(file);
        code.ShouldBe(0, why);
        var evidence = RunningGateway.Json(output);
        evidence.GetProperty("answer").GetString().ShouldBe($"status=200, bytes={body.Length}, response=:{Convert.ToBase64String(SHA256.HashData(body))}:");
        evidence.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString()).ShouldBe(["payment.verified", "payment.held", "payment.settled", "call.delivered", "refund.ordered", "payment.refunded"]);
        evidence.GetProperty("refunds")[0].GetProperty("amount").GetProperty("amount").GetString().ShouldBe("0.004");
        evidence.GetProperty("payment").GetProperty("receipt").GetString().ShouldBe(receipt);
        (await gateway.GetAsync("/admin/v1/payments/nothing/evidence")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Evidence_of_a_call_that_was_not_delivered_says_what_came_and_that_nothing_was_kept()
    {
        await using var gateway = await RunningGateway.StartAsync();
        gateway.Fails = true;
        using var answer = await gateway.CallAsync("/paid", await gateway.TokenAsync());
        ((int)answer.StatusCode).ShouldBe(500);
        var (_, list) = await gateway.GetAsync("/admin/v1/payments");
        var receipt = RunningGateway.Json(list).GetProperty("payments")[0].GetProperty("receipt").GetString();
        var evidence = RunningGateway.Json((await gateway.GetAsync($"/admin/v1/payments/{receipt}/evidence")).Body).GetProperty("evidence");
        evidence.GetProperty("payment").GetProperty("status").GetString().ShouldBe("released");
        evidence.GetProperty("payment").GetProperty("captured").GetProperty("amount").GetString().ShouldBe("0.00");
        evidence.GetProperty("answer").GetString()!.ShouldStartWith("status=500, bytes=");
        evidence.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString()).ShouldBe(["payment.verified", "payment.held", "payment.released", "call.undelivered"]);
        var request = evidence.GetProperty("request");
        (request.GetProperty("method").GetString(), request.GetProperty("target").GetString()).ShouldBe(("GET", "/paid"));
        request.GetProperty("digest").GetString().ShouldBe(Convert.ToHexStringLower(SHA256.HashData("GET\n/paid\n"u8)));
    }

    [Fact]
    public async Task Changing_any_leaf_of_the_evidence_makes_it_fail()
    {
        await using var gateway = await RunningGateway.StartAsync();
        using var answer = await gateway.CallAsync("/paid", await gateway.TokenAsync());
        var receipt = answer.Headers.GetValues("Turnpike-Receipt").Single().Split('/')[^1];
        await gateway.AdminAsync(HttpMethod.Post, $"/admin/v1/payments/{receipt}/refund", """{"amount":"0.004 USD","reason":"wrong"}""", headers: [("Idempotency-Key", "k")]);
        var jws = RunningGateway.Json((await gateway.GetAsync($"/admin/v1/payments/{receipt}/evidence")).Body).GetProperty("signed").GetString()!;
        var keys = await KeysAsync(gateway);
        var parts = jws.Split('.');
        var said = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]))!;
        var leaves = Leaves(said).ToList();
        leaves.Count.ShouldBeGreaterThan(60);
        foreach (var leaf in leaves)
        {
            var forged = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]))!;
            Change(forged, leaf);
            var (code, _, _) = await VerifyAsync($"{parts[0]}.{System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(forged.ToJsonString()))}.{parts[2]}", keys);
            code.ShouldBe(3, leaf);
        }
        (await VerifyAsync(jws, keys)).Code.ShouldBe(0);
    }

    private static IEnumerable<string> Leaves(JsonNode node) => node switch
    {
        JsonObject members => members.SelectMany(member => member.Value is null ? [node.GetPath() + "." + member.Key] : Leaves(member.Value)),
        JsonArray items => items.SelectMany(item => Leaves(item!)),
        _ => [node.GetPath()],
    };

    private static void Change(JsonNode root, string path)
    {
        JsonNode at = root;
        var steps = path[2..].Replace("[", ".[", StringComparison.Ordinal).Split('.');
        foreach (var step in steps[..^1]) at = step[0] == '[' ? at[int.Parse(step[1..^1], null)]! : at[step]!;
        if (steps[^1][0] == '[') at[int.Parse(steps[^1][1..^1], null)] = "forged";
        else at[steps[^1]] = "forged";
    }

    private static async Task<string> KeysAsync(RunningGateway gateway)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, await gateway.Http.GetStringAsync(new Uri(gateway.Public, "/.well-known/jwks.json")));
        return file;
    }

    private static async Task<(int Code, string Output, string Err)> VerifyAsync(string text, string keys)
    {
        using var output = new StringWriter();
        using var err = new StringWriter();
        return (await SignedFile.VerifyAsync("turnpike.yaml", RunningGateway.Environment, "-", keys, new StringReader(text), output, err, default), output.ToString(), err.ToString());
    }
}
