using System.Text.Json;
using Turnpike.Audit;
using Turnpike.Protocols.Signing;
using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Audit;

/// <summary>A copy of the trail that proves itself without the store.</summary>
public sealed class AuditExportTests
{
    private static readonly Uri Gateway = new("https://api.example.com");

    [Theory]
    [InlineData(AuditFormat.JsonLines)]
    [InlineData(AuditFormat.CloudEvents)]
    internal async Task A_whole_export_verifies_offline_and_every_changed_line_is_noticed(AuditFormat format)
    {
        using var open = new OpenTrail();
        await open.RecordAsync(1, 4);
        await open.Trail.SignAsync(open.Keys, default);
        var keys = await open.Keys.PublishedAsync(default);
        var lines = await ExportAsync(open, format, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        lines.Length.ShouldBe(6);
        Verify(open, lines, keys).ShouldSatisfyAllConditions(report => report.Broken.ShouldBeNull(), report => report.Chains.Single().ShouldSatisfyAllConditions(chain => chain.Last.ShouldBe(4), chain => chain.Signed.ShouldBe(4)));

        for (var i = 1; i < lines.Length; i++)
        {
            if (i < 5)
            {
                Verify(open, [.. lines[..i], .. lines[(i + 1)..]], keys).Intact.ShouldBeFalse($"line {i} was left out");
                Verify(open, [.. lines[..i], lines[i].Replace("0.01 USD", "0.02 USD"), .. lines[(i + 1)..]], keys).Intact.ShouldBeFalse($"line {i} was changed");
            }
            else
            {
                var digit = lines[i].IndexOf("\"hash\":\"", StringComparison.Ordinal) + 8;
                Verify(open, [.. lines[..i], lines[i][..digit] + (lines[i][digit] == '0' ? '1' : '0') + lines[i][(digit + 1)..]], keys).Intact.ShouldBeFalse();
            }
        }
        using var stranger = SigningKey.Create();
        Verify(open, lines, new JwkSet([stranger.Public])).Broken!.Finding.ShouldContain("None of the keys");
    }

    [Fact]
    public async Task A_part_begins_and_ends_where_it_was_asked_and_verifies_as_far_as_it_is_signed()
    {
        var clock = new ManualTime();
        using var open = new OpenTrail(clock);
        for (var hour = 0; hour < 6; hour++)
        {
            await open.RecordAsync(2 * hour, 2 * hour + 1);
            if (hour == 3) await open.Trail.SignAsync(open.Keys, default);
            clock.Pass(TimeSpan.FromHours(1));
        }
        var keys = await open.Keys.PublishedAsync(default);
        var first = new ManualTime().GetUtcNow();
        var lines = await ExportAsync(open, AuditFormat.JsonLines, first.AddHours(2), first.AddHours(5));
        lines.Count(line => line.Contains("\"event\"")).ShouldBe(6);
        Verify(open, lines, keys).ShouldSatisfyAllConditions(
            report => report.Broken.ShouldBeNull(),
            report => report.Chains.Single().ShouldSatisfyAllConditions(chain => chain.First.ShouldBe(5), chain => chain.Last.ShouldBe(10), chain => chain.Signed.ShouldBe(8)));
        // A start that is invented does not lead to what was signed.
        lines[0] = lines[0].Replace("\"sequence\":4", "\"sequence\":3");
        Verify(open, lines, keys).Intact.ShouldBeFalse();
    }

    [Fact]
    public async Task More_than_a_page_comes_whole_and_in_order()
    {
        using var open = new OpenTrail();
        await open.RecordAsync(1, 1_234);
        await open.Trail.SignAsync(open.Keys, default);
        var lines = await ExportAsync(open, AuditFormat.JsonLines, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        Verify(open, lines, await open.Keys.PublishedAsync(default)).Events.ShouldBe(1_234);
    }

    [Fact]
    public async Task A_cloud_event_has_the_attributes_it_must_have_and_an_id_that_stays()
    {
        using var open = new OpenTrail();
        await open.RecordAsync(1, 1);
        var once = await ExportAsync(open, AuditFormat.CloudEvents, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        (await ExportAsync(open, AuditFormat.CloudEvents, DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue)).ShouldBe(once);
        var json = JsonDocument.Parse(once[1]).RootElement;
        string Text(string name) => json.GetProperty(name).GetString()!;
        (Text("specversion"), Text("id"), Text("source"), Text("type"), Text("subject")).ShouldBe(("1.0", "1/1", "https://api.example.com/audit", "turnpike.call.refused", "c1"));
        json.GetProperty("time").GetDateTimeOffset().ShouldBe((await open.Trail.ReadAsync(new AuditFilter(), default)).Single().Time);
        json.GetProperty("data").GetProperty("request").GetString().ShouldBe("GET /forecast/paris");
    }

    [Fact]
    public void A_line_that_is_none_is_told_with_its_number()
    {
        using var open = new OpenTrail();
        Should.Throw<InvalidDataException>(() => Verify(open, ["{}"], new JwkSet([]))).Message.ShouldEndWith("line 1 is no line of an audit export");
    }

    private static AuditReport Verify(OpenTrail open, string[] lines, JwkSet keys)
    {
        var path = open.FileBeside("jsonl");
        File.WriteAllLines(path, lines);
        return AuditFile.Verify(path, keys, default);
    }

    private static async Task<string[]> ExportAsync(OpenTrail open, AuditFormat format, DateTimeOffset from, DateTimeOffset to)
    {
        using var file = new MemoryStream();
        await foreach (var lines in new AuditExport(open.Database, format, Gateway).LinesAsync(from, to, default)) file.Write(lines.Span);
        return System.Text.Encoding.UTF8.GetString(file.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
