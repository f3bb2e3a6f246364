using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.EndToEnd.Harness;

/// <summary>A checkout session as a test looks at it.</summary>
internal sealed record StripeSession(string Id, string Account, long Amount, long Fee, JsonObject Json)
{
    public string? Intent => (string?)Json["payment_intent"];
}

/// <summary>The Stripe double on a port: its API, the pages where people pay, and its webhooks, delivered when and as often as a test says.</summary>
internal sealed class StripeLoopback : IAsyncDisposable
{
    private const string Named = "/for";
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Until.Patience };
    private readonly CancellationTokenSource closing = new();
    private readonly SemaphoreSlim silent = new(0);
    private readonly ConcurrentQueue<string> unanswered = [];
    private LoopbackHost? host;

    private StripeLoopback(StripeDouble stripe) => Double = stripe;

    public StripeDouble Double { get; }

    public StripeObjects Objects => Double.Objects;

    public Uri Url => host!.Url;

    public bool Down { set => Double.Down = value; }

    /// <summary>What goes wrong with everything that creates, from now on.</summary>
    public StripeFault? Always { set => Double.Always = value; }

    public IReadOnlyList<StripeSession> Sessions => [.. Objects.All("checkout.session").Select(s => new StripeSession((string)s["id"]!, Objects.AccountOf((string)s["id"]!), StripeObjects.Long(s["amount_total"]), StripeObjects.Long(s["_fee"]), s))];

    public IReadOnlyList<JsonObject> Intents => Objects.All("payment_intent");

    public IReadOnlyList<long> Refunds => [.. Objects.All("refund").Select(r => StripeObjects.Long(r["amount"]))];

    public static async Task<StripeLoopback> StartAsync()
    {
        var variables = Checkout.Variables();
        var stripe = new StripeLoopback(new StripeDouble(variables["STRIPE_SECRET_KEY"], variables["STRIPE_WEBHOOK_SECRET"]));
        stripe.Objects.Payments.Profile = variables["STRIPE_PROFILE"];
        stripe.host = await LoopbackHost.StartAsync(app =>
        {
            app.MapStripePages(stripe.Objects);
            app.MapFallback(stripe.AnswerAsync);
        });
        stripe.Objects.Pages = stripe.Url.GetLeftPart(UriPartial.Authority);
        return stripe;
    }

    /// <summary>The buyer pays on Stripe's page; where that sends the browser, null when the card was declined.</summary>
    public string? Pay(string session, string card = StripeCards.Good) => Objects.Pay(session, card);

    /// <summary>The address for one who is to be known by a name: <see cref="SilenceAsync"/> says whom it left without an answer.</summary>
    public string UrlFor(string name) => $"{Url.GetLeftPart(UriPartial.Authority)}{Named}/{name}";

    /// <summary>Waits until somebody asked what will not be answered; the name it has here, or nothing.</summary>
    public async Task<string> SilenceAsync()
    {
        (await silent.WaitAsync(Until.Patience)).ShouldBeTrue("nobody asked");
        return unanswered.TryDequeue(out var name) ? name : "";
    }

    /// <summary>Tells the gateway something about a session or its payment; the same id again is the same event again.</summary>
    public Task<HttpStatusCode> TellAsync(Uri gateway, string type, StripeSession session, string? id = null, long? amount = null, string? status = null, string? secret = null, DateTimeOffset? at = null)
    {
        var about = type.StartsWith("checkout.session.", StringComparison.Ordinal) ? StripeObjects.Copy(session.Json)
            : new JsonObject { ["id"] = "ch_1", ["object"] = type.StartsWith("charge.dispute.", StringComparison.Ordinal) ? "dispute" : "charge", ["payment_intent"] = session.Intent, ["amount"] = amount ?? session.Amount, ["amount_refunded"] = amount, ["status"] = status };
        var now = at ?? TimeProvider.System.GetUtcNow();
        return PostAsync(gateway, Double.Event(type, about, now, id, session.Account, secret));
    }

    /// <summary>Delivers an event that happened; as often as a test likes.</summary>
    public Task<HttpStatusCode> TellAsync(Uri gateway, StripeTold told, DateTimeOffset at) => PostAsync(gateway, Double.Event(told, at));

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        http.Dispose();
        await host!.DisposeAsync();
        closing.Dispose();
        silent.Dispose();
    }

    private async Task<HttpStatusCode> PostAsync(Uri gateway, (string Body, string Signature) told)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(gateway, "/webhooks/stripe")) { Content = new StringContent(told.Body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Stripe-Signature", told.Signature);
        using var response = await http.SendAsync(request);
        return response.StatusCode;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var (name, path) = ("", context.Request.Path);
        if (path.StartsWithSegments(Named, out var rest)) (name, path) = (rest.Value!.Split('/')[1], "/" + string.Join('/', rest.Value.Split('/')[2..]));
        using var reader = new StreamReader(context.Request.Body);
        var reply = Double.Answer(context.Request.Method, path + context.Request.QueryString, name => context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null, await reader.ReadToEndAsync());
        if (reply.Status == 0)
        {
            unanswered.Enqueue(name);
            silent.Release();
            using var until = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, closing.Token);
            await Task.Delay(Timeout.Infinite, until.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.Abort();
            return;
        }
        if (reply.Replayed) context.Response.Headers["Idempotent-Replayed"] = "true";
        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(reply.Body);
    }
}
