using Turnpike.Metering.Requests;

namespace Turnpike.Metering;

/// <summary>The metering of one call: what its request allows, and what its answer used.</summary>
internal sealed class MeteredCall(UsageSettings settings)
{
    public UsageSettings Settings => settings;

    /// <summary>Answers have to be readable here: something in their bodies counts.</summary>
    public bool Reads => settings.Format is not Formats.NoFormat || settings.Measures.Any(m => m is Measure.Path);

    /// <summary>Does the answer tell so much as a zero of this unit?</summary>
    public bool Tells(string unit) => unit is Units.Bytes or Units.RequestBytes || settings.Tells(unit);

    /// <summary>The most it can use of a unit, by its request alone; null when nothing says.</summary>
    public long? MostOf(string unit) => unit switch
    {
        Units.RequestBytes => RequestBytes,
        Units.Input => Request is { IsUnbounded: false } ? Request.MostInput : null,
        Units.Output => Request?.Maximum * Request?.Multiple,
        Units.Total => MostOf(Units.Input) + MostOf(Units.Output),
        _ => null,
    };

    /// <summary>The request's body as far as it matters here; null when it is none that says anything.</summary>
    public JsonRequest? Request { get; set; }

    /// <summary>The model that is asked for, in the body, a form or the path; null where none is read.</summary>
    public string? Asked { get; set; }

    /// <summary>The most that can be used, by unit; a unit that is missing has no bound but the price's ceiling.</summary>
    public Counts Bounds { get; } = new();

    /// <summary>The size of the request's body in bytes.</summary>
    public long RequestBytes { get; set; }

    /// <summary>When it was sent to the upstream, by the clock's timestamp: what the upstream took is counted from here, not from its first byte.</summary>
    public long Sent { get; set; }

    /// <summary>What was used so far. Final when <see cref="Usage.HasEnded"/>.</summary>
    public Usage Usage { get; } = new();
}
