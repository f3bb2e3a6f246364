namespace Turnpike.Client;

/// <summary>How much may be paid, with what, and how patiently.</summary>
public sealed record PayingOptions
{
    /// <summary>The limit over all calls.</summary>
    public required Budget Budget { get; init; }

    /// <summary>What pays: the first wallet that can, in the order of <see cref="Prefer"/>.</summary>
    public required IReadOnlyList<IWallet> Wallets { get; init; }

    /// <summary>The most one call may cost; null: whatever the budget has left.</summary>
    public Amount? MaxPerCall { get; init; }

    /// <summary>Protocols, best first; one that is not listed is not used.</summary>
    public IReadOnlyList<string> Prefer { get; init; } = [PaymentProtocols.Prepaid, PaymentProtocols.X402, PaymentProtocols.Mpp];

    /// <summary>Pay over plain HTTP beyond loopback, where everyone on the way can read and use the payment.</summary>
    public bool Insecure { get; init; }

    /// <summary>How often one credential is presented again while the seller does not know yet (409 and 503 with Retry-After).</summary>
    public int MostRepeats { get; init; } = 5;

    /// <summary>A longer Retry-After is not waited for: the answer is returned as it is.</summary>
    public TimeSpan MostPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The largest request body that is kept for the paid repetition, in bytes; a larger one is an exception before anything is sent.</summary>
    public long MostBody { get; init; } = 8 * 1024 * 1024;

    /// <summary>The clock of signatures and waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
