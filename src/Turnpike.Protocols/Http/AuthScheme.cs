namespace Turnpike.Protocols.Http;

/// <summary>One challenge or credential of an authentication header: a scheme with one token68 or with named parameters.</summary>
/// <param name="Scheme">As written; compare without case.</param>
/// <param name="Token68">The single value of <c>Bearer …</c>-like schemes, padding kept, or null.</param>
/// <param name="Parameters">By lower-case name, quoted strings unescaped; empty beside a token68.</param>
public sealed record AuthScheme(string Scheme, string? Token68, IReadOnlyDictionary<string, string> Parameters)
{
    public bool Is(string scheme) => Scheme.Equals(scheme, StringComparison.OrdinalIgnoreCase);
}
