using System.Net;
using Spectre.Console;
using Turnpike.Demo;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Demo;

/// <summary>A walk over something broken ends there, instead of telling what did not happen.</summary>
public sealed class WalkTests
{
    [Fact]
    public async Task A_step_that_does_not_come_true_ends_the_walk_with_what_was_wrong()
    {
        var told = new StringWriter();
        var narrator = new Narrator(AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(told) }), TimeProvider.System);
        var upstream = await DemoUpstream.StartAsync("one key", default);
        var gateway = await DemoGateway.StartAsync(new DemoOptions(true, Ports.Next(), Ports.Next()), upstream, "another key", null, narrator, default);
        await using var world = new DemoWorld(null, upstream, gateway);
        var broken = await Should.ThrowAsync<DemoException>(() => new Walk(world, narrator).RunAsync(default));
        broken.Message.ShouldContain("200 was expected, and 401 came");
        told.ToString().ShouldContain("1. ");
        told.ToString().ShouldNotContain("2. ");
    }

    [Fact]
    public void A_city_has_the_same_seven_days_each_time()
    {
        DemoUpstream.Forecast("Berlin").Length.ShouldBeGreaterThan(100);
        DemoUpstream.Forecast("oslo").ShouldBe(DemoUpstream.Forecast("oslo"));
        DemoUpstream.Forecast("oslo").ShouldNotBe(DemoUpstream.Forecast("lima"));
        System.Text.Json.JsonDocument.Parse(DemoUpstream.Forecast("são \"quoted\"")).RootElement.GetProperty("days").GetArrayLength().ShouldBe(7);
    }
}
