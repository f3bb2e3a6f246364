using System.Net;
using System.Text;
using Turnpike.Admin.Cli;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Tests.Catalog;

namespace Turnpike.Tests.Admin;

/// <summary>Keys whose text may be shown again, by whoever has the secret beside the database, and by nobody else.</summary>
public sealed class RetrievableKeyTests
{
    private const string Config = "callers: { named: {} }\nidentity: { retrievable-keys: { secret: \"${env:TOKENS}\" } }", Keys = "/admin/v1/callers/bot/keys";

    private static string? Text(string body) => RunningGateway.Json(body).TryGetProperty("key", out var key) ? key.GetString() : null;

    [Fact]
    public async Task A_key_made_so_is_shown_again_until_it_is_revoked_and_the_trail_says_so()
    {
        await using var gateway = await RunningGateway.StartAsync(more: Config);
        await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/callers/bot", "{}");
        var made = (await gateway.AdminAsync(HttpMethod.Post, Keys, """{"retrievable":true}""")).Body;
        var (id, text) = (RunningGateway.Json(made).GetProperty("id").GetString()!, Text(made)!);
        (await gateway.GetAsync(Keys)).Body.ShouldNotContain(text, Case.Sensitive, "lists are masked");
        var shown = await gateway.AdminAsync(HttpMethod.Post, $"{Keys}/{id}/show");
        (shown.Status, Text(shown.Body)).ShouldBe((HttpStatusCode.OK, text));
        (await gateway.GetAsync("/admin/v1/audit?kind=key.shown")).Body.ShouldSatisfyAllConditions(b => b.ShouldContain(id), b => b.ShouldNotContain(text));
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(gateway.Config)!, "*.db*").Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var copy = new MemoryStream();
            await stream.CopyToAsync(copy);
            Encoding.Latin1.GetString(copy.ToArray()).ShouldNotContain(text);
        }
        using var output = new StringWriter();
        (await CallersCommand.TextAsync(gateway.Config, RunningGateway.Environment, id, json: false, output, TextWriter.Null, default)).ShouldBe(0);
        output.ToString().Trim().ShouldBe(text);
        await gateway.AdminAsync(HttpMethod.Post, $"{Keys}/{id}/revoke");
        (await gateway.AdminAsync(HttpMethod.Post, $"{Keys}/{id}/show")).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(HttpStatusCode.Conflict), t => t.Body.ShouldContain("key-not-retrievable"));
        (await gateway.AdminAsync(HttpMethod.Post, $"{Keys}/k_none/show")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Others_are_told_once_and_without_a_secret_none_can_be_made_so()
    {
        await using var gateway = await RunningGateway.StartAsync(more: Config);
        await gateway.AdminAsync(HttpMethod.Put, "/admin/v1/callers/bot", "{}");
        var id = RunningGateway.Json((await gateway.AdminAsync(HttpMethod.Post, Keys, "{}")).Body).GetProperty("id").GetString()!;
        (await gateway.AdminAsync(HttpMethod.Post, $"{Keys}/{id}/show")).Status.ShouldBe(HttpStatusCode.Conflict);
        (await gateway.AdminAsync(HttpMethod.Post, Keys, $$"""{"retrievable":true,"hash":"sha256:{{new string('a', 64)}}"}""")).Status.ShouldBe(HttpStatusCode.BadRequest);

        await using var plain = await RunningGateway.StartAsync();
        await plain.AdminAsync(HttpMethod.Put, "/admin/v1/callers/bot", "{}");
        (await plain.AdminAsync(HttpMethod.Post, Keys, """{"retrievable":true}""")).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(HttpStatusCode.BadRequest), t => t.Body.ShouldContain("identity.retrievable-keys"));
    }

    [Fact]
    public void An_envelope_opens_for_its_own_key_under_its_secret_or_one_before_it_and_otherwise_never()
    {
        Secret one = new("first secret of more than thirty-two bytes!!"), two = new("second secret of more than thirty-two bytes!");
        var envelope = new KeyVault([one]).Seal("k_1", "tpk_text");
        new KeyVault([two, one]).Open("k_1", envelope).ShouldBe("tpk_text");
        new KeyVault([two]).Open("k_1", envelope).ShouldBeNull();
        new KeyVault([one]).Open("k_2", envelope).ShouldBeNull("moved to another row");
        new KeyVault([one]).Seal("k_1", "tpk_text").ShouldNotBe(envelope);
        for (var i = 0; i < envelope.Length; i++)
        {
            envelope[i] ^= 1;
            new KeyVault([one]).Open("k_1", envelope).ShouldBeNull();
            envelope[i] ^= 1;
            new KeyVault([one]).Open("k_1", envelope.AsSpan(0, i)).ShouldBeNull();
        }
    }

    [Theory]
    [InlineData("retrievable-keys: { secret: \"${env:AGENT_KEY}\" }", "32 bytes")]
    [InlineData("retrievable-keys: {}", "secret")]
    [InlineData("jwt: { l: { issuer: a, audience: b, keys: \"https://l.test/k\", service: x } }", "is said of kya tokens alone: write 'tokens: kya' beside it")]
    public void What_cannot_be_meant_is_told(string identity, string told) =>
        string.Join('\n', Documents.Load(Documents.With($"identity: {{ {identity} }}")).ErrorLines).ShouldContain(told);
}
