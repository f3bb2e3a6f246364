namespace Turnpike.Payments.Evm;

/// <summary>How patient chain settlement is.</summary>
internal sealed record RailTimings
{
    /// <summary>How long one settlement waits for its receipt before it is unknown.</summary>
    public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How often it looks.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>After how long without a receipt gaps before it are filled, or its fee is raised.</summary>
    public TimeSpan Bump { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>How long a number that was taken and not sent is left alone before it is filled.</summary>
    public TimeSpan Gap { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many blocks have to lie on what is called final.</summary>
    public ulong Confirmations { get; init; } = 5;
}
