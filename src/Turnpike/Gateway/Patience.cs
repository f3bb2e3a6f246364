using Turnpike.Payments;

namespace Turnpike.Gateway;

/// <summary>
/// When a caller leaves: before collection, cancel at once and give the money back; after it, let the upstream finish for a
/// bounded while, so that the answer that was paid for can be kept for the retry.
/// </summary>
internal static class Patience
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    public static CancellationToken For(HttpContext http, Payment payment)
    {
        var source = new CancellationTokenSource();
        var watch = http.RequestAborted.UnsafeRegister(static state =>
        {
            var (source, payment) = ((CancellationTokenSource, Payment))state!;
            try
            {
                if (payment.Collecting) source.CancelAfter(Longest);
                else source.Cancel();
            }
            catch (ObjectDisposedException) { /* the call ended in this very moment */ }
        }, (source, payment));
        http.Response.RegisterForDispose(watch);
        http.Response.RegisterForDispose(http.RequestServices.GetRequiredService<Drain>().Cut.UnsafeRegister(static state =>
        {
            try { ((CancellationTokenSource)state!).Cancel(); }
            catch (ObjectDisposedException) { /* the call ended in this very moment */ }
        }, source));
        http.Response.RegisterForDispose(source);
        return source.Token;
    }
}
