using System.Diagnostics;

namespace Turnpike.EndToEnd.Harness.Sharing;

/// <summary>Two runs side by side on one machine do not take each other's ports.</summary>
public sealed class PortsTests
{
    [Fact]
    public async Task A_port_that_was_given_is_nobody_elses_while_this_run_lives()
    {
        var port = Ports.Next();
        Ports.TryHold(port, out _).ShouldBeFalse();
        (await FlockAsync(port)).ShouldBe(1, "another process cannot have it either");
    }

    [Fact]
    public async Task A_port_that_was_given_back_is_to_be_had_again()
    {
        const int Port = 19_999;
        Ports.TryHold(Port, out var held).ShouldBeTrue();
        await held.DisposeAsync();
        (await FlockAsync(Port)).ShouldBe(0);
    }

    private static async Task<int> FlockAsync(int port)
    {
        using var flock = Process.Start(new ProcessStartInfo("flock", ["--nonblock", "--conflict-exit-code", "1", Path.Combine(Path.GetTempPath(), "turnpike-e2e-ports", $"{port}"), "true"]))!;
        await flock.WaitForExitAsync();
        return flock.ExitCode;
    }
}
