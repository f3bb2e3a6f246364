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
internal static class Patience
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    public static CancellationToken For(HttpContext http, Payment payment)
    {
        var clock = http.RequestServices.GetRequiredService<TimeProvider>();
        // Only a clock of a test's own needs a timer before there is something to wait for.
        var source = clock == TimeProvider.System ? new CancellationTokenSource() : new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        var drain = http.RequestServices.GetService<Drain>();
        var rule = payment.Call.Quote is MeteredQuote ? HangUpRule.Of(payment.Call.Operation) : null;
        payment.Call.Watch = http.RequestAborted.UnsafeRegister(static state =>
        {
            var (source, payment, rule, drain, http) = ((CancellationTokenSource, Payment, HangUpRule?, Drain?, HttpContext))state!;
            try
            {
                if (drain is { IsOver: true } || http.IsCut()) { source.Cancel(); return; }
                // A connection that broke with the upstream is no caller who left.
                payment.LeftMidway = http.Features.Get<IForwarderErrorFeature>() is null && PassingBody.Of(http) is { Passed: > 0 };
                // Nobody's connection ends it any more, so the node's end has to.
                if (drain is not null) payment.Call.Lease(drain.Over.UnsafeRegister(static source => Stop((CancellationTokenSource)source!), source));
                if (rule is { Drain: true } && Drains.TryBegin(payment)) source.CancelAfter(rule.For);
                else if (payment.Collecting) source.CancelAfter(Longest);
                else source.Cancel();
            }
            catch (ObjectDisposedException) { /* the call ended in this very moment */ }
        }, (source, payment, rule, drain, http));
        http.Response.RegisterForDispose(source);
        return source.Token;
    }

    private static void Stop(CancellationTokenSource source)
    {
        try { source.Cancel(); }
        catch (ObjectDisposedException) { /* the call ended in this very moment */ }
    }
}
