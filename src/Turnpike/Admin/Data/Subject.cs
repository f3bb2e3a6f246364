using System.Text.RegularExpressions;

namespace Turnpike.Admin.Data;

/// <summary>
/// Whom stored data may be about: a caller by name, a payer, a wallet, a token, or an address. Where it stands by itself it is found
/// by being the same; inside the names of accounts, holds and transfers only as that part of them that names somebody, so that a
/// caller called like an operation takes nothing of it along.
/// </summary>
internal sealed partial class Subject
{
    private const string Roles = @"(?<![A-Za-z0-9._-])(?<role>(?:caller|token|plan|grant|overage|cap|credit|unsettled|unbilled|invoiced|line|balance):)";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private readonly Regex[] inside;
    private readonly HashSet<string> names = new(StringComparer.OrdinalIgnoreCase);

    private Subject(string text, params Regex[] inside)
    {
        (Text, this.inside) = (text, inside);
        names.UnionWith([text, "caller:" + text, "token:" + text, "wallet:" + text]);
    }

    /// <summary>The name without its role.</summary>
    public string Text { get; }

    /// <summary>The same, and these tokens besides: those whose place a token took are about whoever it is about.</summary>
    public Subject With(IEnumerable<string> tokens)
    {
        var others = tokens.Where(token => token != Text).ToList();
        if (others.Count == 0) return this;
        var both = new Subject(Text, [.. inside, .. others.Select(token => Part(Regex.Escape(token)))]);
        foreach (var token in others) both.names.UnionWith([token, "token:" + token]);
        return both;
    }

    /// <summary>Null for what is no name: too short to be told from anything else, or with characters no name has.</summary>
    public static Subject? Of(string text)
    {
        if (text.Length is 0 or > 256 || !Printable().IsMatch(text)) return null;
        if (Wallet().Match(text) is { Success: true } wallet) return new(text, Part($"(?i:{wallet.Value})"));
        if (text.StartsWith("token:", StringComparison.Ordinal)) return new(text["token:".Length..], Part(Regex.Escape(text["token:".Length..])));
        return text.Contains(':', StringComparison.Ordinal)
            ? new(text, Part(Regex.Escape(text)))
            : new(text, new Regex(Roles + Regex.Escape(text) + "(?=$|[:/\"])", RegexOptions.CultureInvariant, Patience));
    }

    /// <summary>A column that is one name.</summary>
    public bool Is(string? name) => name is not null && (names.Contains(name) || IsIn(name));

    /// <summary>A column made of names.</summary>
    public bool IsIn(string? text) => text is not null && Array.Exists(inside, part => part.IsMatch(text));

    /// <summary>Each of its names has a pseudonym of its own: what was two rows stays two.</summary>
    public string Replace(string text, string pseudonym)
    {
        for (var i = 0; i < inside.Length; i++)
        {
            var its = i == 0 ? pseudonym : $"{pseudonym}-{i}";
            text = inside[i].Replace(text, match => match.Groups["role"] is { Success: true } role ? role.Value + its : its);
        }
        return text;
    }

    private static Regex Part(string pattern) => new("(?<![A-Za-z0-9])" + pattern + "(?![A-Za-z0-9])", RegexOptions.CultureInvariant, Patience);

    [GeneratedRegex("^[\u0021-\u007e]+$", RegexOptions.CultureInvariant)]
    private static partial Regex Printable();

    /// <summary>The address alone: it stands in payers, proofs and holds of every chain.</summary>
    [GeneratedRegex("0x[0-9a-fA-F]{40}$", RegexOptions.CultureInvariant)]
    private static partial Regex Wallet();
}
