namespace Turnpike.Admin.Data;

/// <summary>How long what is stored about calls is kept, by class; null: for good.</summary>
internal sealed record RetentionSettings
{
    /// <summary>The audit trail, in whole parts up to a signed link.</summary>
    public TimeSpan? Audit { get; init; }

    /// <summary>A folder that gets what is dropped of the trail, as exports.</summary>
    public string? Archive { get; init; }

    /// <summary>Records of use.</summary>
    public TimeSpan? Usage { get; init; }

    /// <summary>What ended payments say beyond the money: request, caller, proof.</summary>
    public TimeSpan? Payments { get; init; }

    /// <summary>Questions to operators that were answered.</summary>
    public TimeSpan? Approvals { get; init; }
}
