namespace Turnpike.Ledger;

/// <summary>What a limited account has and what of it is held. A change is tried on the side and taken over when all of it fits.</summary>
internal sealed class Balance(AccountKey key, long posted, long held, long raised, bool stored)
{
    private long nextPosted = posted;
    private long nextHeld = held;

    public AccountKey Key { get; } = key;

    public long Posted { get; private set; } = posted;

    public long Held { get; private set; } = held;

    /// <summary>All it was ever raised by (<see cref="Raise"/>).</summary>
    public long Raised { get; set; } = raised;

    public long Available => Posted - Held;

    /// <summary>True when the database has a row of it.</summary>
    public bool Stored { get; set; } = stored;

    /// <summary>True when it differs from the database.</summary>
    public bool Changed { get; set; }

    public bool Tried { get; private set; }

    /// <summary>Tries a change. False when the account would be overdrawn (I2).</summary>
    public bool Try(long posted, long held)
    {
        Tried = true;
        nextPosted = checked(nextPosted + posted);
        nextHeld = checked(nextHeld + held);
        return nextHeld >= 0 && nextPosted >= nextHeld;
    }

    public void Keep()
    {
        (Posted, Held, Tried) = (nextPosted, nextHeld, false);
    }

    public void Drop()
    {
        (nextPosted, nextHeld, Tried) = (Posted, Held, false);
    }
}
