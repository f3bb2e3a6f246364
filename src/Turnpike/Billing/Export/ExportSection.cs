using Turnpike.Catalog;
using Turnpike.Catalog.Webhooks;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Metering;

namespace Turnpike.Billing.Export;

/// <summary>The <c>usage-export:</c> section: who is told of every record of use, and how.</summary>
internal static class ExportSection
{
    private const int WebhookSecretBytes = 24; // Standard Webhooks, "Signature scheme"

    private static readonly Shape<string> Unit = new ScalarShape<string>("a name there", (string t, out string? v) => (v = t.Trim()).Length is > 0 and <= 200 ? null : "has 1 to 200 characters");
    private static readonly Shape<IReadOnlyDictionary<string, string>> Units = new ConvertedShape<IReadOnlyList<KeyValuePair<string, string>>, IReadOnlyDictionary<string, string>>(
        new NamedShape<string>("names by unit", "unit", Metering.Units.CheckName, Unit), all => all.ToDictionary(StringComparer.Ordinal));
    private static readonly Shape<IReadOnlyDictionary<string, string>> SubjectMap = new ConvertedShape<IReadOnlyList<KeyValuePair<string, string>>, IReadOnlyDictionary<string, string>>(
        new NamedShape<string>("names by subject", "subject", s => s.Length is > 0 and <= 200 ? null : "a subject has 1 to 200 characters", Unit), all => all.ToDictionary(StringComparer.Ordinal));

    private static readonly Key<Uri> Url = new("url", Shapes.KeyedUrl, "Where events are posted to.") { Required = true, Example = "https://openmeter.cloud/api/v1/events" };
    private static readonly Key<Secret> Token = new("token", new SecretShape(), "Sent as a bearer token.") { Default = "none", Example = "${env:OPENMETER_TOKEN}" };
    private static readonly Key<string> Type = new("type", Shapes.Text, "The events' type.") { Default = "turnpike.usage", Example = "turnpike.usage" };
    private static readonly Key<ExportTarget.CloudEvents> CloudEvents = new("cloudevents", new MapShape<ExportTarget.CloudEvents>([Url, Token, Type],
        m => new ExportTarget.CloudEvents(m.Get(Url)!, m.IsWritten(Token) ? m.Get(Token) : null, m.Get(Type, "turnpike.usage"))), "CloudEvents 1.0 in batches, as OpenMeter takes them.")
    { Default = "not sent", Example = "{ url: https://openmeter.cloud/api/v1/events, token: \"${env:OPENMETER_TOKEN}\" }" };

    private static readonly Key<Uri> StripeApi = new("api", Shapes.Url, "Stripe's API; plain http only on loopback.") { Default = "https://api.stripe.com", Example = "https://api.stripe.com" };
    private static readonly Key<Secret> StripeKey = new("secret-key", new SecretShape(), "Stripe's secret API key.") { Required = true, Example = "${env:STRIPE_SECRET_KEY}" };
    private static readonly Key<IReadOnlyDictionary<string, string>> Events = new("events", Units, "The meter event for each unit that Stripe is told of.") { Required = true, Example = "{ total_tokens: llm_tokens }" };
    private static readonly Key<Uri> Stream = new("stream", Shapes.Url, "Where many events a second go, a hundred at once and checked there afterwards (the meter event stream).") { Default = "one by one, to api", Example = "https://meter-events.stripe.com" };
    private static readonly Key<ExportTarget.Stripe> Stripe = new("stripe", new MapShape<ExportTarget.Stripe>([StripeApi, StripeKey, Events, Stream], BuildStripe), "Stripe's meter events (v2); subjects name its customers.")
    { Default = "not sent", Example = "{ secret-key: \"${env:STRIPE_SECRET_KEY}\", events: { total_tokens: llm_tokens } }" };

    private static readonly Key<Uri> LagoApi = new("api", Shapes.Url, "Lago's API.") { Default = "https://api.getlago.com", Example = "https://api.getlago.com" };
    private static readonly Key<Secret> LagoKey = new("api-key", new SecretShape(), "Lago's API key.") { Required = true, Example = "${env:LAGO_API_KEY}" };
    private static readonly Key<IReadOnlyDictionary<string, string>> Codes = new("codes", Units, "The billable metric for each unit that Lago is told of.") { Required = true, Example = "{ total_tokens: tokens }" };
    private static readonly Key<ExportTarget.Lago> Lago = new("lago", new MapShape<ExportTarget.Lago>([LagoApi, LagoKey, Codes], m => new ExportTarget.Lago(m.Get(LagoApi) ?? new Uri("https://api.getlago.com"), m.Get(LagoKey), m.Get(Codes)!)), "Lago's events; subjects name its subscriptions.")
    { Default = "not sent", Example = "{ api-key: \"${env:LAGO_API_KEY}\", codes: { total_tokens: tokens } }" };

    private static readonly Key<Uri> Hook = new("url", Shapes.KeyedUrl, "Where messages are posted to.") { Required = true, Example = "https://example.com/usage" };
    private static readonly Key<IReadOnlyList<Secret>> Secrets = new("secret", new ListShape<Secret>(new SecretShape(check: CheckSecret), oneAlone: true, least: 1), "Signs messages: whsec_ and base64 of at least 24 bytes; one, or a list while it is rolled.") { Required = true, Example = "${env:USAGE_WEBHOOK_SECRET}" };
    private static readonly Key<ExportTarget.Webhook> Webhook = new("webhook", new MapShape<ExportTarget.Webhook>([Hook, Secrets], m => new ExportTarget.Webhook(m.Get(Hook)!, m.Get(Secrets, []))), "One signed message an event (Standard Webhooks).")
    { Default = "not sent", Example = "{ url: https://example.com/usage, secret: \"${env:USAGE_WEBHOOK_SECRET}\" }" };

    private static readonly Key<string> Folder = new("folder", Shapes.Text, "Where the files are; it is made when it is not there.") { Required = true, Example = "/var/lib/turnpike/usage" };
    private static readonly Key<bool> Format = new("format", new ChoiceShape<bool>(("jsonl", false), ("csv", true)), "jsonl or csv.") { Default = "jsonl", Example = "csv" };
    private static readonly Key<ExportTarget.Files> Files = new("files", new MapShape<ExportTarget.Files>([Folder, Format], m => new ExportTarget.Files(m.Get(Folder)!, m.Get(Format))), "A file a day on this machine.")
    { Default = "not written", Example = "{ folder: /var/lib/turnpike/usage, format: csv }" };

    private static readonly Key<IReadOnlyDictionary<string, string>> Subjects = new("subjects", SubjectMap, "What callers and payers are called there. Who is not named is not told of.") { Default = "as they are called here, all of them", Example = "{ acme: cus_NeZwdNtLEOXuvB }" };
    private static readonly Key<TimeSpan> GiveUp = new("give-up", Shapes.Duration, "How long one event is tried before it is a dead letter.") { Default = "1d; 23h for Stripe, which tells copies apart for a day", Example = "3d" };
    private static readonly Key<TimeSpan> Timeout = new("timeout", Shapes.Duration, "How long an answer is waited for.") { Default = "10s", Example = "10s" };

    private static readonly Key[] Targets = [CloudEvents, Stripe, Lago, Webhook, Files];

    private static readonly Key<ExportSettings> Key = new("usage-export",
        new ConvertedShape<IReadOnlyList<KeyValuePair<string, ExportDestination>>, ExportSettings>(
            new NamedShape<ExportDestination>("destinations by name", "destination", OperationSection.CheckName, new MapShape<ExportDestination>([.. Targets, Subjects, GiveUp, Timeout], Build)),
            all => new ExportSettings([.. all.Select(d => d.Value)])),
        "Who is told of every record of use, at least once and in order for each subject.")
    { Default = "nobody", Example = "{ billing: { webhook: { url: https://example.com/usage, secret: \"${env:USAGE_WEBHOOK_SECRET}\" } } }" };

    public static readonly Section Section = new(Scope.Document, Key)
    {
        Tell = catalog => catalog.Settings.Get<ExportSettings>()?.Destinations.Select(d => $"{d.Name}: {Told(d.Target)}") ?? [],
    };

    private static string Told(ExportTarget target) => target switch
    {
        ExportTarget.CloudEvents to => $"CloudEvents to {to.Url.Authority}",
        ExportTarget.Stripe to => $"Stripe meter events {string.Join(", ", to.Events.Values)}",
        ExportTarget.Lago to => $"Lago events {string.Join(", ", to.Codes.Values)}",
        ExportTarget.Webhook to => $"signed messages to {to.Url.Authority}",
        ExportTarget.Files to => $"files in {to.Folder}",
        _ => target.GetType().Name,
    };

    private static ExportDestination? Build(MapValues m)
    {
        if (Targets.Where(m.IsWritten).ToList() is not [var key]) { m.At.Refuse($"a destination is one of {string.Join(", ", Targets.Select(t => t.Name))}"); return null; }
        var target = (ExportTarget)m.GetAny(key)!;
        // Stripe tells copies apart by their identifier for 24 hours: whoever tried longer could count twice.
        var longest = target is ExportTarget.Stripe ? TimeSpan.FromHours(23) : TimeSpan.FromDays(30);
        var giveUp = m.IsWritten(GiveUp) ? m.Get(GiveUp) : longest < TimeSpan.FromDays(1) ? longest : TimeSpan.FromDays(1);
        if (giveUp > longest) { m.Of(GiveUp).Refuse($"is longer than {Shapes.Tell(longest)}"); return null; }
        var timeout = m.IsWritten(Timeout) ? m.Get(Timeout) : TimeSpan.FromSeconds(10);
        // Whoever waited longer could send when another node does already.
        if (timeout > OutboxStore.Lease / 2) { m.Of(Timeout).Refuse($"is longer than {Shapes.Tell(OutboxStore.Lease / 2)}"); return null; }
        return new ExportDestination(m.At.Name, target) { Subjects = m.Get(Subjects), GiveUp = giveUp, Timeout = timeout };
    }

    private static ExportTarget.Stripe? BuildStripe(MapValues m)
    {
        var api = m.Get(StripeApi) ?? new Uri("https://api.stripe.com");
        if (api.Scheme == "http" && !api.IsLoopback) { m.Of(StripeApi).Refuse("plain http is for a stand-in on loopback only; the secret key goes there"); return null; }
        var stream = m.Get(Stream);
        if (stream is { Scheme: "http", IsLoopback: false }) { m.Of(Stream).Refuse("plain http is for a stand-in on loopback only; a session's token goes there"); return null; }
        if (stream is not null && m.Get(Events)!.Count > StripeStreamSink.MostEvents) { m.Of(Events).Refuse($"at most {StripeStreamSink.MostEvents} go at once"); return null; }
        return new ExportTarget.Stripe(api, m.Get(StripeKey), m.Get(Events)!, stream);
    }

    private static string? CheckSecret(string text) => WebhookSignature.KeyOf(text) is { Length: >= WebhookSecretBytes } ? null : $"is no webhook secret: whsec_ and base64 of at least {WebhookSecretBytes} bytes";
}
