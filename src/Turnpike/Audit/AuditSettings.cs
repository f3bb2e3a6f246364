namespace Turnpike.Audit;

/// <summary>How often the trail's end is signed.</summary>
internal sealed record AuditSettings
{
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromMinutes(10);
}
