namespace Turnpike.Client;

/// <summary>
/// One payment for one request: the credential is signed once and, whatever happens, never replaced by a second one. What it costs
/// has been taken from the budget.
/// </summary>
public sealed class PaymentAttempt
{
    internal static readonly HttpRequestOptionsKey<PaymentAttempt> Key = new("Turnpike.Client.PaymentAttempt");

    private readonly KeptRequest request;
    private readonly IReadOnlyList<KeyValuePair<string, string>> credential;
    private int returned;

    internal PaymentAttempt(KeptRequest request, PaymentChoice choice, IReadOnlyList<KeyValuePair<string, string>> credential) =>
        (this.request, this.credential, Protocol, Amount, Revocable) = (request, credential, choice.Protocol, choice.Amount, choice.Revocable);

    /// <summary>One of <see cref="PaymentProtocols"/>.</summary>
    public string Protocol { get; }

    /// <summary>What it costs at most.</summary>
    public Amount Amount { get; }

    internal bool Revocable { get; }

    /// <summary>True once it may have left this machine.</summary>
    internal bool Presented { get; set; }

    /// <summary>The same request with the very same credential, to be sent through the same handler: it costs nothing more.</summary>
    public HttpRequestMessage ToRequest()
    {
        var again = request.Again([]);
        again.Options.Set(Key, this);
        return again;
    }

    /// <summary>The paid request, for the origin the terms came from only.</summary>
    /// <exception cref="InvalidOperationException">The request was pointed elsewhere.</exception>
    internal HttpRequestMessage Sign(Uri url) => url == request.Url
        ? request.Again(credential)
        : throw new InvalidOperationException($"The payment was made for {request.Url} and is not carried to {url}.");

    /// <summary>Gives the amount back to the budget, once.</summary>
    internal void GiveBack(Budget budget)
    {
        if (Interlocked.Exchange(ref returned, 1) == 0) budget.GiveBack(Amount);
    }

    /// <summary>Takes it from the budget again where it was given back; false when the budget no longer has it.</summary>
    internal bool TryTakeAgain(Budget budget)
    {
        if (Interlocked.Exchange(ref returned, 0) == 0 || budget.TryTake(Amount)) return true;
        Interlocked.Exchange(ref returned, 1);
        return false;
    }
}
