namespace Turnpike.Protocols.Signatures;

/// <summary>A message as its signer saw it: what a signature may cover.</summary>
/// <param name="Method">Exact case.</param>
/// <param name="Scheme"><c>https</c> or <c>http</c>, as the caller used it.</param>
/// <param name="Authority">Host and port, as the caller used them.</param>
/// <param name="Target">Path and query as they were sent, beginning with a slash.</param>
/// <param name="Headers">All lines of a header, by name in lower case; empty when it is not there.</param>
public sealed record SignedMessage(string Method, string Scheme, string Authority, string Target, Func<string, IReadOnlyList<string>> Headers)
{
    /// <summary>The status, for a response.</summary>
    public int? Status { get; init; }

    public string Path => Target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query ? Target[..query] : Target;

    /// <summary>With its question mark; a question mark alone when there is none (RFC 9421 §2.2.7).</summary>
    public string Query => Target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query ? Target[query..] : "?";
}
