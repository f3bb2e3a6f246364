using System.Diagnostics;

namespace Turnpike.Telemetry;

/// <summary>A step of a call being timed, and traced where somebody listens: <c>using var step = Step.Verify("x402.exact");</c></summary>
internal readonly struct Step : IDisposable
{
    private readonly long began = Stopwatch.GetTimestamp();
    private readonly Activity? span;
    private readonly string method;
    private readonly bool settles;

    private Step(string method, bool settles)
    {
        (this.method, this.settles) = (method, settles);
        span = Tracing.Start(settles ? "settle" : "verify", method);
    }

    public static Step Verify(string method) => new(method, settles: false);

    public static Step Settle(string method) => new(method, settles: true);

    public void Dispose()
    {
        if (settles) Instruments.Settled(method, Stopwatch.GetElapsedTime(began));
        else Instruments.Verified(method, Stopwatch.GetElapsedTime(began));
        span?.Dispose();
    }
}
