namespace Turnpike.Limits.Notices;

/// <summary>The <c>warn-at:</c> key: percentages, rising.</summary>
internal sealed record WarnSettings(IReadOnlyList<int> At);
