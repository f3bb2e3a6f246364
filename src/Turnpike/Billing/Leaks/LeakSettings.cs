namespace Turnpike.Billing.Leaks;

/// <summary>The <c>leaks:</c> section: what becomes of a key or token that was found in public.</summary>
/// <param name="Github">Where GitHub publishes the keys it signs reports with; null: its reports are not taken.</param>
internal sealed record LeakSettings(LeakPolicy Policy, Uri? Github);

/// <summary>What is done with a leaked credential. Its funds are its owner's in any case.</summary>
internal enum LeakPolicy
{
    /// <summary>It goes on; the owner is told.</summary>
    Notify,

    /// <summary>It says who asks and may spend nothing.</summary>
    Cap,

    /// <summary>It ends; what is left of a token goes to a new one.</summary>
    Revoke,
}
