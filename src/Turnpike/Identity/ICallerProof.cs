using Turnpike.Catalog;

namespace Turnpike.Identity;

/// <summary>One way to prove who asks.</summary>
internal interface ICallerProof
{
    /// <summary>The kind of evidence, as the trail and the upstream are told it: <c>key</c>, <c>jwt</c> …</summary>
    string Name { get; }

    /// <summary>What this call shows of this kind. What belongs to another kind is absent.</summary>
    ValueTask<Evidence> ExamineAsync(Call call, Presented presented, CancellationToken ct);
}

/// <summary>What a call shows of one kind. Invalid refuses; unverified never earns trust.</summary>
internal abstract record Evidence
{
    public static readonly Evidence None = new Absent();

    internal sealed record Absent : Evidence;

    /// <summary>It could not be checked; the call goes on as if it were not there.</summary>
    internal sealed record Unverified(string Note) : Evidence;

    internal sealed record Invalid(Refusal Refusal) : Evidence;

    internal sealed record Verified(Principal Principal) : Evidence;

    /// <summary>This very request was signed: by whom, in every name a credential may be bound to, and whom that says to ask, if anybody is known by it.</summary>
    internal sealed record Signed(IReadOnlyList<string> By, Principal? Principal) : Evidence;
}
