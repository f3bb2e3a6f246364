namespace Turnpike.Catalog.Webhooks;

/// <summary>What came of telling somebody outside.</summary>
internal abstract record Sent
{
    /// <summary>The receiver has all of it.</summary>
    internal record Accepted : Sent;

    /// <summary>Nobody knows, or not now: the same again, later.</summary>
    internal sealed record Later(string Error, TimeSpan? After = null) : Sent;

    /// <summary>The receiver will never take it as it is. Of several, one at least.</summary>
    internal sealed record Refused(string Error) : Sent;
}
