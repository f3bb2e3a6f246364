using System.Text;
using System.Text.Json;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Loading;
using Turnpike.Catalog.Webhooks;
using Turnpike.Storage;

namespace Turnpike.Limits.Notices;

/// <summary>
/// Posts events to whom the owner names, signed, and again until they are taken: over restarts, and by whichever node is up. A
/// receiver that is down holds up nobody; what it did not take in a day is given up and said so in the trail.
/// </summary>
internal sealed partial class Notices(NoticeStore store, CatalogSource catalog, HttpClients clients, IAuditTrail audit, TimeProvider time, ILogger<Notices> log) : BackgroundService
{
    private const int MostAtOnce = 100;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10), Look = TimeSpan.FromMilliseconds(500), GiveUp = TimeSpan.FromDays(1);
    private static readonly TimeSpan[] Again = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30)];
    private bool silent;

    /// <summary>Durable when it returns; it is sent by somebody else. The very event that is in the trail.</summary>
    public ValueTask PostAsync(AuditEvent happened, CancellationToken ct) =>
        catalog.Current.Settings.Get<NoticeSettings>() is null ? default : store.AddAsync(Ids.New("n"), happened, Write(happened, time.GetUtcNow()), ct);

    /// <summary>Sends what is due.</summary>
    public async Task RoundAsync(CancellationToken ct)
    {
        foreach (var notice in await store.DueAsync(MostAtOnce, ct))
        {
            if (!await store.ClaimAsync(notice, ct)) continue;
            // Where nobody is to be told any more, nothing waits.
            if (catalog.Current.Settings.Get<NoticeSettings>() is not { } settings || await SendAsync(settings, notice, ct) is Sent.Accepted) await store.DoneAsync(notice, ct);
            else if (notice.Tries < Again.Length || time.GetUtcNow() - notice.Queued < GiveUp) await store.LaterAsync(notice, Again[Math.Min(notice.Tries, Again.Length - 1)], ct);
            else await GiveUpAsync(notice, ct);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await RoundAsync(stoppingToken);
                silent = false;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (!silent) Log.Failed(log, e.Message);
                silent = true;
            }
        }
    }

    private async ValueTask<Sent> SendAsync(NoticeSettings settings, Notice notice, CancellationToken ct)
    {
        using var client = clients(settings.Url, Timeout, 64 * 1024);
        using var request = WebhookSignature.Sign(settings.Url, Encoding.UTF8.GetBytes(notice.Body), settings.Secret, notice.Id, time.GetUtcNow());
        return await Posting.PostAsync(client, request, isCopy: null, ct);
    }

    private async ValueTask GiveUpAsync(Notice notice, CancellationToken ct)
    {
        await store.DoneAsync(notice, ct);
        Log.GivenUp(log, notice.Id, notice.Queued);
        await audit.RecordAsync(new AuditEvent { Kind = AuditKinds.NoticeUndeliverable, Correlation = Ids.New("c"), Reference = notice.Id, Detail = $"Not taken in {notice.Tries + 1} attempts." }, ct);
    }

    private static string Write(AuditEvent happened, DateTimeOffset now)
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
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Notices could not be looked at, and are sent later: {Why}")]
        public static partial void Failed(ILogger logger, string why);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The notice {Id} of {Made:u} could not be delivered; what it told is in the audit trail.")]
        public static partial void GivenUp(ILogger logger, string id, DateTimeOffset made);
    }
}
