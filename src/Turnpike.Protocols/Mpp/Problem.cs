namespace Turnpike.Protocols.Mpp;

/// <summary>One kind of refusal of MPP: problem type URI, title and HTTP status (RFC 9457).</summary>
public sealed record Problem(string Type, string Title, int Status);
