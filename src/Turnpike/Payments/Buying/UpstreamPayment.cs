using Turnpike.Ledger;

namespace Turnpike.Payments.Buying;

/// <summary>A payment to an upstream in flight: recorded, then presented once, to the very address that asked for it.</summary>
internal sealed class UpstreamPayment(HoldState state, string protocol, bool revocable, IReadOnlyList<KeyValuePair<string, string>> credential)
{
    public HoldState State { get; set; } = state;

    public string Protocol => protocol;

    /// <summary>An answer that is no success proves that nothing was taken (a token); a signature may still be used by whoever holds it.</summary>
    public bool Revocable => revocable;

    /// <summary>The headers that pay.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Credential => credential;

    /// <summary>It may have left this machine.</summary>
    public bool Presented { get; set; }
}
