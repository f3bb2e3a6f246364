namespace Turnpike.Protocols.X402;

/// <summary>What is paid for. Not signed by any EVM scheme: it stops mix-ups, not thieves.</summary>
public sealed record ResourceInfo
{
    public required string Url { get; init; }
    public string? Description { get; init; }
    public string? MimeType { get; init; }

    /// <summary>1 to 32 printable ASCII characters.</summary>
    public string? ServiceName { get; init; }

    /// <summary>At most five, each of 1 to 32 printable ASCII characters.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>At most 2048 characters.</summary>
    public string? IconUrl { get; init; }
}
