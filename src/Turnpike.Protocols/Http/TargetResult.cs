namespace Turnpike.Protocols.Http;

/// <summary>What <see cref="RequestTarget.Canonicalise"/> made of a raw request target: one canonical string, or a reason.</summary>
/// <remarks>
/// <see cref="Value"/> is the string to match, price, bind, log and forward. <see cref="Path"/> and <see cref="Query"/>
/// are cut from it on each access (the whole string itself where there is no query), so read them once.
/// </remarks>
public readonly record struct TargetResult
{
    private readonly int pathLength;

    private TargetResult(string value, int pathLength, string? error)
    {
        Value = value;
        this.pathLength = pathLength;
        Error = error;
    }

    /// <summary>Path and query together; empty when <see cref="Error"/> is set.</summary>
    public string Value { get; }

    /// <summary>A short stable reason (<see cref="TargetErrors"/>) why the target is refused with 400, or null.</summary>
    public string? Error { get; }

    public bool IsValid => Error is null;

    /// <summary>True for the server-wide target <c>*</c> of OPTIONS (RFC 9112 §3.2.4).</summary>
    public bool IsAsterisk => Value is "*";

    /// <summary>The canonical encoded path, beginning with <c>/</c> (or <c>*</c>).</summary>
    public string Path => pathLength == Value.Length ? Value : Value[..pathLength];

    /// <summary>The query with its <c>?</c>, verbatim, or the empty string.</summary>
    public string Query => pathLength == Value.Length ? "" : Value[pathLength..];

    public ReadOnlySpan<char> PathSpan => Value.AsSpan(0, pathLength);

    internal static TargetResult Of(string value, int pathLength) => new(value, pathLength, null);

    internal static TargetResult Refused(string error) => new("", 0, error);
}
