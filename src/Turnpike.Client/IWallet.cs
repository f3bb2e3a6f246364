using Turnpike.Protocols.Evm;

namespace Turnpike.Client;

/// <summary>Something that can pay. It is asked with the seller's terms, and answers with every way it knows; nothing is signed by asking.</summary>
public interface IWallet
{
    /// <summary>The ways this wallet can pay these terms, best first; none when it cannot.</summary>
    IEnumerable<PaymentChoice> Choices(PaymentTerms terms);
}

/// <summary>One way to pay: what it costs, and how to sign it. Signing happens once, after the budget has agreed.</summary>
/// <param name="Protocol">One of <see cref="PaymentProtocols"/>.</param>
/// <param name="Amount">What it costs at most.</param>
/// <param name="Revocable">True where an answer that is no success proves that nothing was paid (prepaid); false for signatures, which whoever holds them may still use.</param>
/// <param name="Sign">Makes the request headers that pay, for a signing time.</param>
public sealed record PaymentChoice(string Protocol, Amount Amount, bool Revocable, Func<DateTimeOffset, IReadOnlyList<KeyValuePair<string, string>>> Sign)
{
    /// <summary>The chain it is paid on, CAIP-2; null where there is none.</summary>
    public string? Network { get; init; }

    /// <summary>The token contract it is paid in; null where there is none.</summary>
    public Address? Asset { get; init; }

    /// <summary>Who is paid; null where the terms name nobody (prepaid).</summary>
    public Address? Payee { get; init; }
}
