namespace Turnpike.Audit;

/// <summary>How often the trail's end is signed, and how long the trail is kept; null: for good.</summary>
internal sealed record AuditSettings
{
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromMinutes(10);

    public TimeSpan? Kept { get; init; }
}
