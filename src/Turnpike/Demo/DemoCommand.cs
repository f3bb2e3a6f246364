using System.CommandLine;
using Turnpike.Storage;

namespace Turnpike.Demo;

/// <summary><c>turnpike demo</c>: everything in one process, and an agent that walks through it aloud.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var once = new Option<bool>("--once") { Description = "End after the walk instead of serving on." };
        var port = new Option<int?>("--port") { Description = "The callers' port (8402, or a free one when it is taken)." };
        var admin = new Option<int?>("--admin-port") { Description = "The operators' port (8403, or a free one when it is taken)." };
        var command = new Command("demo", "Run a gateway, an upstream, a checkout and a local chain with test money, and watch an agent pay.") { once, port, admin };
        command.SetAction((parsed, ct) => RunAsync(new DemoOptions(parsed.GetValue(once), parsed.GetValue(port), parsed.GetValue(admin)), ct));
        return command;
    }

    private static async Task<int> RunAsync(DemoOptions options, CancellationToken ct)
    {
        var narrator = Narrator.OnConsole(TimeProvider.System);
        try
        {
            narrator.Title("Turnpike demo", "Everything runs in this process. All money is test money.");
            await using var world = await DemoWorld.StartAsync(options, narrator, ct);
            await new Walk(world, narrator).RunAsync(ct);
            narrator.Finished();
            if (options.Once) return 0;
            await Farewell.TellAsync(world, narrator, ct);
            await world.Gateway.App.WaitForShutdownAsync(ct);
            return 0;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            narrator.Say("Stopped.");
            return narrator.IsFinished ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            narrator.Fail("A call was not answered in time.");
            return 1;
        }
        catch (Exception e) when (e is DemoException or Client.PaymentOutcomeUnknownException or HttpRequestException or StorageException or IOException or InvalidOperationException)
        {
            narrator.Fail(e.Message);
            return 1;
        }
    }
}

/// <summary>The command's options; a port that is null is chosen.</summary>
internal sealed record DemoOptions(bool Once, int? Port, int? AdminPort);

/// <summary>Something did not do what the demo says it does.</summary>
internal sealed class DemoException(string message) : Exception(message);
