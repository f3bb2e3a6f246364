using System.CommandLine;
using System.Runtime.InteropServices;

// Commands end themselves when they are told to stop: serve drains for as long as gateway.drain says. A second signal is not heard out.
var signals = 0;
void Hear(PosixSignalContext signal)
{
    if (Interlocked.Increment(ref signals) > 1) Environment.Exit(128 + (signal.Signal == PosixSignal.SIGINT ? 2 : 15));
}
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Hear);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Hear);
var parsed = Turnpike.Commands.Root().Parse(args);
var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromHours(1) });
return parsed.Errors.Count > 0 ? 2 : code;
