using Turnpike.Catalog;

namespace Turnpike.Billing.Export;

/// <summary>The <c>usage-export:</c> of a document: who is told of every record of use.</summary>
internal sealed record ExportSettings(IReadOnlyList<ExportDestination> Destinations)
{
    public IReadOnlyList<string> Names { get; } = [.. Destinations.Select(d => d.Name)];

    public ExportDestination? Find(string name) => Destinations.FirstOrDefault(d => d.Name == name);
}

/// <summary>Somebody who is told.</summary>
/// <param name="Name">Names its queue: what waits under a name goes to whoever has that name.</param>
internal sealed record ExportDestination(string Name, ExportTarget Target)
{
    /// <summary>What a subject is called there (a customer, a subscription); null: as it is called here. Who is not in it is not told of.</summary>
    public IReadOnlyDictionary<string, string>? Subjects { get; init; }

    /// <summary>How long one event is tried before it is a dead letter.</summary>
    public TimeSpan GiveUp { get; init; } = TimeSpan.FromDays(1);

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The name there; null: not to be told.</summary>
    public string? SubjectOf(string subject) => Subjects is null ? subject : Subjects.GetValueOrDefault(subject);
}

/// <summary>How somebody is told.</summary>
internal abstract record ExportTarget
{
    /// <summary>CloudEvents 1.0 in batches over HTTP, as OpenMeter takes them.</summary>
    internal sealed record CloudEvents(Uri Url, Secret? Token, string Type) : ExportTarget;

    /// <summary>Stripe's meter events, a unit each.</summary>
    /// <param name="Events">Names of events by unit.</param>
    /// <param name="Stream">Where many a second go, a hundred at once; null: one by one.</param>
    internal sealed record Stripe(Uri Api, Secret Key, IReadOnlyDictionary<string, string> Events, Uri? Stream = null) : ExportTarget;

    /// <summary>Lago's events, a unit each.</summary>
    /// <param name="Codes">Codes of billable metrics by unit.</param>
    internal sealed record Lago(Uri Api, Secret Key, IReadOnlyDictionary<string, string> Codes) : ExportTarget;

    /// <summary>One signed message an event, as Standard Webhooks has it.</summary>
    internal sealed record Webhook(Uri Url, IReadOnlyList<Secret> Secrets) : ExportTarget;

    /// <summary>A file a day in a folder of this machine.</summary>
    internal sealed record Files(string Folder, bool Csv) : ExportTarget;
}
