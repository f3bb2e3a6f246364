using System.Text.Json;
using System.Threading.Channels;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;

namespace Turnpike.Limits.Notices;

/// <summary>
/// Posts events to whom the owner names, signed, in order and a few times over. Nobody waits for it, and what cannot be delivered is
/// given up: the trail has everything, and a receiver that is down must not slow the gate.
/// </summary>
internal sealed partial class Notices(CatalogSource catalog, HttpClients clients, TimeProvider time, ILogger<Notices> log) : BackgroundService
{
    private const int MostWaiting = 1_000;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan[] Again = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2)];
    private readonly Channel<AuditEvent> waiting = Channel.CreateBounded<AuditEvent>(new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>The very event that is in the trail.</summary>
    public void Post(AuditEvent happened)
    {
        if (catalog.Current.Settings.Get<NoticeSettings>() is not null) waiting.Writer.TryWrite(happened);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var happened in waiting.Reader.ReadAllAsync(stoppingToken)) await DeliverAsync(happened, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { /* the end */ }
    }

    /// <summary>True when it was taken, at last.</summary>
    public async ValueTask<bool> DeliverAsync(AuditEvent happened, CancellationToken ct)
    {
        // Every attempt bears the same id, so that a receiver can tell a repetition.
        var (id, made, body) = (Ids.New("n"), time.GetUtcNow(), Write(happened, time.GetUtcNow()));
        for (var attempt = 0; ; attempt++)
        {
            if (catalog.Current.Settings.Get<NoticeSettings>() is not { } settings) return false;
            if (await SendAsync(settings, body, id, ct)) return true;
            if (attempt == Again.Length) break;
            await Task.Delay(Again[attempt], time, ct);
        }
        Log.GivenUp(log, happened.Kind, made);
        return false;
    }

    private async ValueTask<bool> SendAsync(NoticeSettings settings, byte[] body, string id, CancellationToken ct)
    {
        try
        {
            using var client = clients(settings.Url, Timeout, 64 * 1024);
            using var request = WebhookSignature.Sign(settings.Url, body, settings.Secret, id, time.GetUtcNow());
            using var answer = await client.SendAsync(request, ct);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || e is OperationCanceledException && !ct.IsCancellationRequested) { return false; }
    }

    private static byte[] Write(AuditEvent happened, DateTimeOffset now)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", happened.Kind);
            json.WriteString("timestamp", now);
            json.WriteStartObject("data");
            foreach (var (name, value) in new[] { ("correlation", happened.Correlation), ("reason", happened.Reason), ("operation", happened.Operation), ("caller", happened.Caller), ("payer", happened.Payer), ("address", happened.Address), ("amount", happened.Amount), ("reference", happened.Reference), ("detail", happened.Detail) })
                if (value is not null) json.WriteString(name, value);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The notice {Kind} of {Made:u} could not be delivered; it is in the audit trail.")]
        public static partial void GivenUp(ILogger logger, string kind, DateTimeOffset made);
    }
}
