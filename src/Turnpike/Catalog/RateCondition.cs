namespace Turnpike.Catalog;

/// <summary>
/// For which calls a limit counts, by what is known of the caller and not by what it says of itself; what is not written holds for all.
/// </summary>
internal sealed record RateCondition
{
    public IReadOnlyList<Assurance> Assurance { get; init; } = [];

    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>The models requests ask for: what is read from the body decides, and is forwarded.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>All of them; the owner's words, which no request changes.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Metadata { get; init; } = [];

    public bool Holds(Call call)
    {
        var principal = call.Principal;
        if (Assurance.Count > 0 && !Assurance.Contains(principal?.Assurance ?? Catalog.Assurance.Anonymous)) return false;
        if (Groups.Count > 0 && (principal is null || !Groups.Any(principal.Caller.Groups.Contains))) return false;
        if (Models.Count > 0 && (call.Metered?.Asked is not { } model || !Models.Contains(model))) return false;
        foreach (var (name, word) in Metadata)
            if (principal is null || !principal.Caller.Metadata.TryGetValue(name, out var said) || said != word) return false;
        return true;
    }
}
