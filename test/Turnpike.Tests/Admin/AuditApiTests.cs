using System.Text;
using Turnpike.Admin.Cli;

namespace Turnpike.Tests.Admin;

/// <summary>The trail through the Admin API and the command line: read in pages, copied, and checked elsewhere.</summary>
public sealed class AuditApiTests
{
    [Fact]
    public async Task It_is_read_page_by_page_with_a_cursor_that_is_given_back()
    {
        await using var gateway = await RunningGateway.StartAsync();
        for (var i = 0; i < 5; i++) (await gateway.CallAsync("/open")).Dispose();
        List<long> seen = [];
        for (string? after = ""; after is not null;)
        {
            var (_, body) = await gateway.GetAsync($"/admin/v1/audit?limit=2&after={after}".Replace("&after=", after.Length == 0 ? "" : "&after=", StringComparison.Ordinal));
            var page = RunningGateway.Json(body);
            seen.AddRange(page.GetProperty("events").EnumerateArray().Select(each => each.GetProperty("sequence").GetInt64()));
            after = page.GetProperty("next").GetString();
        }
        seen.ShouldBe(Enumerable.Range(1, seen.Count).Select(i => (long)i));
        seen.Count.ShouldBeGreaterThanOrEqualTo(5);
        ((int)(await gateway.GetAsync("/admin/v1/audit?after=nonsense")).Status).ShouldBe(400);
    }

    [Fact]
    public async Task An_export_of_a_running_gateway_is_signed_to_its_end_and_verifies_by_the_published_keys_alone()
    {
        await using var gateway = await RunningGateway.StartAsync();
        (await gateway.CallAsync("/paid", await gateway.TokenAsync())).Dispose();
        var folder = Path.GetDirectoryName(gateway.Config)!;
        var (file, jwks) = (Path.Combine(folder, "audit.jsonl"), Path.Combine(folder, "jwks.json"));
        await File.WriteAllTextAsync(file, (await gateway.GetAsync("/admin/v1/audit/export?from=2020-01-01")).Body);
        await File.WriteAllTextAsync(jwks, await gateway.Http.GetStringAsync(new Uri(gateway.Public, "/.well-known/jwks.json")));

        using var output = new StringWriter();
        using var err = new StringWriter();
        AuditCommand.VerifyFile(file, jwks, true, output, err, default).ShouldBe(0);
        var chain = RunningGateway.Json(output.ToString()).GetProperty("chains")[0];
        chain.GetProperty("signed").GetInt64().ShouldBe(chain.GetProperty("last").GetInt64());

        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("payment.settled", "payment.verified", StringComparison.Ordinal));
        AuditCommand.VerifyFile(file, jwks, false, output, err, default).ShouldBe(1);
        err.ToString().ShouldContain("is not what was recorded");
        AuditCommand.VerifyFile(file, null, false, output, err, default).ShouldBe(2);
        AuditCommand.VerifyFile(file + "x", jwks, false, output, err, default).ShouldBe(2);
        ((int)(await gateway.GetAsync("/admin/v1/audit/export?from=yesterday")).Status).ShouldBe(400);
        ((int)(await gateway.GetAsync("/admin/v1/audit/export?format=xml")).Status).ShouldBe(400);
    }

    [Fact]
    public async Task A_clean_stop_signs_the_end_and_the_command_exports_what_the_api_does()
    {
        await using var gateway = await RunningGateway.StartAsync();
        (await gateway.CallAsync("/open")).Dispose();
        var (_, api) = await gateway.GetAsync("/admin/v1/audit/export?format=cloudevents");
        await gateway.StopAsync();

        using var copy = new MemoryStream();
        using var err = new StringWriter();
        (await AuditCommand.ExportAsync(gateway.Config, RunningGateway.Environment, new(null, null, "cloudevents", null), copy, err, default)).ShouldBe(0);
        Encoding.UTF8.GetString(copy.ToArray()).ShouldStartWith(api);
        var file = Path.Combine(Path.GetDirectoryName(gateway.Config)!, "audit.jsonl");
        (await AuditCommand.ExportAsync(gateway.Config, RunningGateway.Environment, new(null, null, null, file), copy, err, default)).ShouldBe(0);
        File.ReadLines(file).Last().ShouldContain("\"checkpoint\"");
        (await AuditCommand.ExportAsync(gateway.Config, RunningGateway.Environment, new("1.11.2026", null, null, null), copy, err, default)).ShouldBe(2);
    }
}
