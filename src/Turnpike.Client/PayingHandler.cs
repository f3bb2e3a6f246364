using System.Net;

namespace Turnpike.Client;

/// <summary>
/// Pays what answers 402, within a budget, and repeats the request with the proof. For one request at most one payment is ever
/// signed; a 402 that is not paid is returned as it came, and <see cref="PaidResponses.WhyUnpaid"/> tells why.
/// </summary>
public sealed class PayingHandler : DelegatingHandler
{
    private const int MostProblem = 1024 * 1024;
    private static readonly string[] PaymentHeaders = ["PAYMENT-SIGNATURE", "X-PAYMENT", "Payment-Authorization"];

    private readonly PayingOptions options;
    private bool isChecked;

    /// <summary>Over a connection pool of its own, which follows no redirects.</summary>
    public PayingHandler(PayingOptions options) : this(options, new SocketsHttpHandler { AllowAutoRedirect = false }) { }

    /// <summary>Over another handler.</summary>
    public PayingHandler(PayingOptions options, HttpMessageHandler inner) : base(inner) => this.options = options;

    /// <summary>The request's answer, paid for where that was asked and allowed.</summary>
    /// <exception cref="PaymentOutcomeUnknownException">A payment was sent and its answer lost.</exception>
    /// <exception cref="HttpRequestException">As of the inner handler, before any payment was sent; also a body larger than <see cref="PayingOptions.MostBody"/>.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RefuseRedirects();
        if (request.Options.TryGetValue(PaymentAttempt.Key, out var earlier))
        {
            if (!earlier.TryTakeAgain(options.Budget)) throw new InvalidOperationException($"{earlier.Amount} is more than the {options.Budget.Left} the budget has left.");
            return await PresentAsync(request, earlier, cancellationToken);
        }
        if (PaymentHeaders.Any(request.Headers.NonValidated.Contains)) return await base.SendAsync(request, cancellationToken);

        var kept = await KeptRequest.OfAsync(request, options.MostBody, cancellationToken);
        var response = await base.SendAsync(request, cancellationToken);
        response.RequestMessage = request;
        if (response.StatusCode != HttpStatusCode.PaymentRequired) return response;

        var terms = await ReadTermsAsync(request, response, cancellationToken);
        if (Choose(terms, out var choice) is { } reason) return response.Unpaid(reason);
        var attempt = SignOnce(kept, choice!);
        response.Dispose();
        return await PresentAsync(request, attempt, cancellationToken);
    }

    private static async Task<PaymentTerms> ReadTermsAsync(HttpRequestMessage request, HttpResponseMessage response, CancellationToken ct)
    {
        try
        {
            await response.Content.LoadIntoBufferAsync(MostProblem, ct);
            return PaymentTerms.Read(request, response, await response.Content.ReadAsByteArrayAsync(ct));
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>Takes the first way to pay that every limit allows from the budget; else says what was in the way.</summary>
    private string? Choose(PaymentTerms terms, out PaymentChoice? chosen)
    {
        chosen = null;
        if (!options.Insecure && !Origins.IsPrivate(terms.Url)) return "Payments are not sent over plain HTTP.";
        var reason = "No wallet can pay what is offered.";
        foreach (var protocol in options.Prefer)
        foreach (var choice in options.Wallets.SelectMany(wallet => wallet.Choices(terms)).Where(choice => choice.Protocol == protocol))
        {
            if (new[] { options.MaxPerCall, terms.CallerMaximum }.FirstOrDefault(most => most is { } limit && !choice.Amount.IsWithin(limit)) is { } passed) reason = $"{choice.Amount} is more than the {passed} one call may cost.";
            else if (!options.Budget.TryTake(choice.Amount)) reason = $"{choice.Amount} is more than the {options.Budget.Left} the budget has left.";
            else { chosen = choice; return null; }
        }
        return reason;
    }

    private PaymentAttempt SignOnce(KeptRequest request, PaymentChoice choice)
    {
        try
        {
            return new PaymentAttempt(request, choice, choice.Sign(options.Time.GetUtcNow()));
        }
        catch
        {
            options.Budget.GiveBack(choice.Amount);
            throw;
        }
    }

    /// <summary>Presents one credential, again and again while the seller says it does not know yet.</summary>
    private async Task<HttpResponseMessage> PresentAsync(HttpRequestMessage request, PaymentAttempt attempt, CancellationToken ct)
    {
        for (var repeats = 0; ; repeats++)
        {
            var response = await SendPaidAsync(request, attempt, ct);
            if (repeats >= options.MostRepeats || Patience(response) is not { } wait) return Finish(request, response, attempt);
            response.Dispose();
            try
            {
                await Task.Delay(wait, options.Time, ct);
            }
            catch (OperationCanceledException e)
            {
                throw new PaymentOutcomeUnknownException(attempt, e);
            }
        }
    }

    private async Task<HttpResponseMessage> SendPaidAsync(HttpRequestMessage request, PaymentAttempt attempt, CancellationToken ct)
    {
        using var paid = attempt.Sign(request.RequestUri!);
        try
        {
            return await base.SendAsync(paid, ct);
        }
        catch (HttpRequestException e) when (!attempt.Presented && e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError)
        {
            // Nothing has left this machine: the signature is forgotten.
            attempt.GiveBack(options.Budget);
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            throw new PaymentOutcomeUnknownException(attempt, e);
        }
        finally
        {
            attempt.Presented = true;
        }
    }

    private HttpResponseMessage Finish(HttpRequestMessage request, HttpResponseMessage response, PaymentAttempt attempt)
    {
        response.RequestMessage = request;
        response.Keep(attempt);
        // Nobody but the chain knows whether a refused signature is used later: only what the seller itself keeps is given back.
        if (attempt.Revocable && !response.IsSuccessStatusCode && response.StatusCode is not (HttpStatusCode.Conflict or HttpStatusCode.ServiceUnavailable)) attempt.GiveBack(options.Budget);
        return response.StatusCode == HttpStatusCode.PaymentRequired ? response.Unpaid("The payment was presented and refused.") : response;
    }

    /// <summary>How long to wait before the same credential is presented again; null when the answer is final.</summary>
    private TimeSpan? Patience(HttpResponseMessage response)
    {
        if (response.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.Conflict) || response.Headers.RetryAfter is not { } after) return null;
        var wait = after.Delta ?? after.Date - options.Time.GetUtcNow() ?? TimeSpan.Zero;
        return wait > options.MostPatience ? null : wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    /// <summary>A redirect followed below would carry the credential to whatever host the answer names.</summary>
    private void RefuseRedirects()
    {
        if (isChecked) return;
        var handler = InnerHandler;
        while (handler is DelegatingHandler delegating) handler = delegating.InnerHandler;
        if (handler is SocketsHttpHandler { AllowAutoRedirect: true } or HttpClientHandler { AllowAutoRedirect: true })
            throw new InvalidOperationException("The innermost handler follows redirects and would carry payments to other origins; set its AllowAutoRedirect to false.");
        isChecked = true;
    }
}
