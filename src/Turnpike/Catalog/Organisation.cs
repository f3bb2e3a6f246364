namespace Turnpike.Catalog;

/// <summary>Whom callers belong to: what they may spend together, and a balance that all of them spend.</summary>
internal sealed record Organisation(string Name)
{
    private const string Prefix = "organisation=";

    /// <summary>The most its callers may spend, together and each.</summary>
    public IReadOnlyList<Cap> Caps { get; init; } = [];

    /// <summary>None of its callers is served.</summary>
    public bool Suspended { get; init; }

    /// <summary>The owner's own words.</summary>
    public string? Note { get; init; }

    /// <summary>True for what turnpike.yaml names: it is changed there and nowhere else.</summary>
    public bool ManagedByFile { get; init; }

    /// <summary>
    /// Whom its grants belong to. No caller has an equals sign before a colon in its name; and a colon would end the name within that of
    /// an account, so that one organisation could be taken for another.
    /// </summary>
    public static string Holder(string name) => Prefix + name.Replace("%", "%25", StringComparison.Ordinal).Replace(":", "%3A", StringComparison.Ordinal);

    public static bool IsHolder(string holder) => holder.StartsWith(Prefix, StringComparison.Ordinal);
}
