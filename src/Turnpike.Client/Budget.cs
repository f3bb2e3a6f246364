namespace Turnpike.Client;

/// <summary>What may be spent in all: shared by every handler and every concurrent call that is given it. Never overdrawn.</summary>
public sealed class Budget(Amount limit)
{
    private readonly Lock gate = new();
    private long spent;

    /// <summary>Reads <c>5.00 USD</c>; throws <see cref="FormatException"/>.</summary>
    public Budget(string limit) : this(Amount.Parse(limit)) { }

    /// <summary>The whole of it.</summary>
    public Amount Limit => limit;

    /// <summary>What is paid, and what may have been: a signature that was sent cannot be taken back.</summary>
    public Amount Spent { get { lock (gate) return limit with { Nano = spent }; } }

    /// <summary>What may still be spent.</summary>
    public Amount Left { get { lock (gate) return limit with { Nano = limit.Nano - spent }; } }

    /// <summary>Takes before a payment is signed, or not at all: two calls at once cannot both have the last cent.</summary>
    internal bool TryTake(Amount amount)
    {
        if (amount.Currency != limit.Currency || amount.Nano < 0) return false;
        lock (gate)
        {
            if (amount.Nano > limit.Nano - spent) return false;
            spent += amount.Nano;
            return true;
        }
    }

    /// <summary>Gives back what was taken and certainly not paid.</summary>
    internal void GiveBack(Amount amount)
    {
        lock (gate) spent -= amount.Nano;
    }
}
