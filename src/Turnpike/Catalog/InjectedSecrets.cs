using System.Text;

namespace Turnpike.Catalog;

/// <summary>The keys a service's upstream is called with, as bytes to look for in what it answers. Made once per operation.</summary>
internal sealed class InjectedSecrets(IEnumerable<KeyValuePair<string, Secret>> headers)
{
    private const int Shortest = 8;

    /// <summary>Whole values, and the part after a scheme (<c>Bearer …</c>); shorter ones would star out ordinary text.</summary>
    public IReadOnlyList<string> Texts { get; } = [.. headers.SelectMany(h => Parts(h.Value.Reveal())).Where(v => v.Length >= Shortest).Distinct()];

    public IReadOnlyList<byte[]> Values => field ??= [.. Texts.Select(Encoding.UTF8.GetBytes)];

    private static IEnumerable<string> Parts(string value) => value.IndexOf(' ', StringComparison.Ordinal) is > 0 and var space ? [value[(space + 1)..].Trim()] : [value];
}
