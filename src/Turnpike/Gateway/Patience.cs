using Turnpike.Gateway.Metered;
using Turnpike.Payments;
using Turnpike.Pricing;
using Yarp.ReverseProxy.Forwarder;

namespace Turnpike.Gateway;

/// <summary>
/// When a caller leaves: before collection, cancel at once and give the money back; after it, let the upstream finish for a
/// bounded while, so that the answer that was paid for can be kept for the retry; a metered answer is read on as its operation
/// says. When it is we who end it, there is no while left.
/// </summary>
internal sealed class Patience : IDisposable
{
    private const string Drained = "hang-up=drained";
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private readonly HttpContext http;
    private readonly Payment payment;
    private readonly Drain? drain;
    private readonly Drains drains;
    private readonly CancellationTokenSource source;
    private CancellationTokenRegistration watch, end;
    private IDisposable? place;
    private string? left;

    private Patience(HttpContext http, Payment payment)
    {
        (this.http, this.payment) = (http, payment);
        (drain, drains) = (http.RequestServices.GetService<Drain>(), http.RequestServices.GetRequiredService<Drains>());
        var clock = http.RequestServices.GetRequiredService<TimeProvider>();
        // Only a clock of a test's own needs a timer before there is something to wait for.
        source = clock == TimeProvider.System ? new CancellationTokenSource() : new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
    }

    /// <summary>Cancelled when the upstream need not go on.</summary>
    public static CancellationToken For(HttpContext http, Payment payment)
    {
        var patience = new Patience(http, payment);
        http.Items[typeof(Patience)] = patience;
        http.Response.RegisterForDispose(patience);
        patience.watch = http.RequestAborted.UnsafeRegister(static patience => ((Patience)patience!).Leave(), patience);
        return patience.source.Token;
    }

    /// <summary>The answer has ended, and nobody can leave it any more. Tells what became of it when its caller left (RFC 8941): <c>hang-up=drained</c>; null when the caller stayed.</summary>
    public static string? End(HttpContext http) => http.Items.TryGetValue(typeof(Patience), out var patience) ? ((Patience)patience!).End() : null;

    /// <summary>We end it ourselves, whether anybody is there or not.</summary>
    public static void Stop(HttpContext http)
    {
        if (http.Items.TryGetValue(typeof(Patience), out var patience)) ((Patience)patience!).Stop();
    }

    private void Stop()
    {
        try { source.Cancel(); }
        catch (ObjectDisposedException) { /* the call ended in this very moment */ }
    }

    private string? End()
    {
        watch.Dispose(); // waits for who is leaving in this very moment
        end.Dispose();
        place?.Dispose();
        return left == Drained && source.IsCancellationRequested ? "hang-up=cut" : left;
    }

    private void Leave()
    {
        if (PassingBody.Of(http) is { } body && body.Passed == http.Response.ContentLength) return; // with all of it
        if (drain is { IsOver: true } || http.IsCut()) { source.Cancel(); return; }
        // A connection that broke with the upstream is no caller who left.
        payment.LeftMidway = http.Features.Get<IForwarderErrorFeature>() is null && PassingBody.Of(http) is { Passed: > 0 };
        // Nobody's connection ends it any more, so the node's end has to.
        if (drain is not null) end = drain.Over.UnsafeRegister(static patience => ((Patience)patience!).Stop(), this);
        var rule = payment.Call.Quote is MeteredQuote ? HangUpRule.Of(payment.Call.Operation) : null;
        if (rule is { Drain: true } && (place = drains.TryBegin()) is not null) Wait(rule.For);
        else if (payment.Collecting) Wait(Longest);
        else
        {
            left = rule is { Drain: true } ? "hang-up=no-place" : "hang-up=cancelled";
            source.Cancel();
        }
    }

    private void Wait(TimeSpan time)
    {
        left = Drained;
        source.CancelAfter(time);
    }

    public void Dispose()
    {
        End();
        source.Dispose();
    }
}
