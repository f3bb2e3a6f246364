using Turnpike.Catalog.Webhooks;
using Turnpike.Metering;

namespace Turnpike.Billing.Export;

/// <summary>Tells one destination. The same event may be given again: it bears the same id then, and the receiver counts it once.</summary>
internal interface IUsageSink : IDisposable
{
    /// <summary>How many at once.</summary>
    int Most { get; }

    ValueTask<Sent> SendAsync(IReadOnlyList<OutboxRow> batch, CancellationToken ct);
}

/// <summary>Files: how far the file is right from now on.</summary>
internal sealed record Written(FilePlace Place) : Sent.Accepted;

/// <summary>A file, and how many of its bytes are known to be right.</summary>
internal sealed record FilePlace(string File, long Length);

/// <summary>One event on its way to a destination.</summary>
/// <param name="Subject">What its subject is called there.</param>
internal sealed record OutboxRow(UsageRecord Record, string Subject, DateTimeOffset Queued, long Tries, DateTimeOffset? First);
