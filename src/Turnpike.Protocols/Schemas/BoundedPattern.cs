using System.Text.RegularExpressions;

namespace Turnpike.Protocols.Schemas;

/// <summary>A regular expression whose time grows with the text and with nothing else: no text can make it slow (ReDoS).</summary>
internal sealed class BoundedPattern
{
    public const string Wanted = "is no regular expression that takes bounded time; look-arounds, back-references and atomic groups do not";
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(1);
    private readonly Regex regex;

    private BoundedPattern(Regex regex) => this.regex = regex;

    public static BoundedPattern? Create(string pattern)
    {
        if (pattern.Length > 1000) return null;
        try
        {
            return new BoundedPattern(new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, Most));
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <exception cref="SchemaUndecidedException">It took too long.</exception>
    public bool Matches(string text)
    {
        try { return regex.IsMatch(text); }
        catch (RegexMatchTimeoutException) { throw new SchemaUndecidedException("", "takes too long to match with a pattern"); }
    }
}
