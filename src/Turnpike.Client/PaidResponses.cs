namespace Turnpike.Client;

/// <summary>What a response that came through a <see cref="PayingHandler"/> knows about its payment.</summary>
public static class PaidResponses
{
    private static readonly HttpRequestOptionsKey<PaymentReceipt> Receipt = new("Turnpike.Client.Receipt");
    private static readonly HttpRequestOptionsKey<PaymentAttempt> Attempt = new("Turnpike.Client.Attempt");
    private static readonly HttpRequestOptionsKey<string> Reason = new("Turnpike.Client.WhyUnpaid");

    /// <summary>What was paid for this answer; null when nothing was, or the answer is no success.</summary>
    public static PaymentReceipt? GetPayment(this HttpResponseMessage response) => Get(response, Receipt);

    /// <summary>The payment that was presented, whatever became of it; null when none was.</summary>
    public static PaymentAttempt? GetAttempt(this HttpResponseMessage response) => Get(response, Attempt);

    /// <summary>Why a 402 was not paid, as a sentence; null when it was.</summary>
    public static string? WhyUnpaid(this HttpResponseMessage response) => Get(response, Reason);

    internal static void Keep(this HttpResponseMessage response, PaymentAttempt attempt)
    {
        response.RequestMessage!.Options.Set(Attempt, attempt);
        if (response.IsSuccessStatusCode) response.RequestMessage.Options.Set(Receipt, PaymentReceipt.Read(response, attempt));
    }

    internal static HttpResponseMessage Unpaid(this HttpResponseMessage response, string reason)
    {
        response.RequestMessage!.Options.Set(Reason, reason);
        return response;
    }

    private static T? Get<T>(HttpResponseMessage response, HttpRequestOptionsKey<T> key) where T : class =>
        response.RequestMessage?.Options.TryGetValue(key, out var value) == true ? value : null;
}
