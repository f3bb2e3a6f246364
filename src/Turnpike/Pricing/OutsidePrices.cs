using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Protocols.Http;

namespace Turnpike.Pricing;

/// <summary>
/// Asks somebody outside what a call costs. An answer is good for a few seconds, and where none comes the last good one is, for as long
/// as the document says; without any, nothing is sold, and never for free.
/// </summary>
internal sealed class OutsidePrices(HttpClients clients, TimeProvider time) : IDisposable
{
    private const int MostAnswer = 16 * 1024, MostKept = 10_000, MostAtOnce = 64;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5), Quiet = TimeSpan.FromSeconds(1);

    private readonly Recent<string, Answer> good = new(MostKept);
    private readonly ConcurrentDictionary<PriceModel.Asked, Pricer> pricers = new(ReferenceEqualityComparer.Instance);

    /// <summary>Null where there is no price: the pricer is silent, and there is no answer that may still be used.</summary>
    public async ValueTask<Money?> AskAsync(Call call, PriceModel.Asked price, CancellationToken ct)
    {
        var body = Write(call);
        var key = KeyOf(price, body);
        var known = good.TryGet(key, out var last) && last.Amount.Currency == price.Ceiling.Currency && last.Amount <= price.Ceiling;
        var now = time.GetUtcNow();
        if (known && now - last.At < Fresh) return last.Amount;
        var pricer = pricers.GetOrAdd(price, p => new Pricer(clients(p.Url, p.Timeout, MostAnswer)));
        // Nobody who asks for terms again and again makes us ask outside without end.
        if (now >= pricer.QuietUntil && pricer.Asking < MostAtOnce && await AskAsync(pricer, price, body, ct) is { } amount)
        {
            good.Keep(key, last is null || last.Amount == amount ? new Answer(amount, now, last?.Before, last?.BeforeUntil ?? default) : new Answer(amount, now, last.Amount, Earlier(now, last.At + Longer(Fresh, price.Keep)) + PriceBook.Valid), good.Stamp);
            return amount;
        }
        return known && now - last.At < price.Keep ? last.Amount : null;
    }

    /// <summary>What this very call cost before, while terms given for that may still be answered; what another one costs buys nothing.</summary>
    public Money? Before(Call call, PriceModel.Asked price) => good.TryGet(KeyOf(price, Write(call)), out var last) && last.BeforeUntil >= time.GetUtcNow() ? last.Before : null;

    private static string KeyOf(PriceModel.Asked price, byte[] body) => $"{price.Url} {System.Text.Encoding.UTF8.GetString(body)}";

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;

    public void Dispose()
    {
        foreach (var pricer in pricers.Values) pricer.Http.Dispose();
    }

    private async ValueTask<Money?> AskAsync(Pricer pricer, PriceModel.Asked price, byte[] body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, price.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        if (price.Token is { } token) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Reveal());
        Interlocked.Increment(ref pricer.Asking);
        try
        {
            using var response = await pricer.Http.SendAsync(request, ct);
            if (response.IsSuccessStatusCode && Read(await response.Content.ReadAsByteArrayAsync(ct), price.Ceiling) is { } amount) return amount;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException) { }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested) { }
        finally { Interlocked.Decrement(ref pricer.Asking); }
        pricer.QuietUntil = time.GetUtcNow() + Quiet;
        return null;
    }

    private static byte[] Write(Call call)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("operation", call.Operation.Name);
            json.WriteString("method", call.Method == "HEAD" ? "GET" : call.Method);
            json.WriteString("target", call.Target.Value);
            if (call.Caller is { } caller) json.WriteString("caller", caller);
            if (call.Plan is { } plan) json.WriteString("plan", plan);
            json.WriteString("assurance", (call.Principal?.Assurance ?? Assurance.Anonymous).ToString().ToLowerInvariant());
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    /// <summary><c>{"amount":"0.012"}</c>, decimal text in the ceiling's currency and never above it; anything else is no answer.</summary>
    private static Money? Read(byte[] answer, Money ceiling) =>
        StrictJson.Parse(answer) is { ValueKind: JsonValueKind.Object } json
        && json.TryGetProperty("amount", out var amount) && amount.ValueKind == JsonValueKind.String
        && (!json.TryGetProperty("currency", out var currency) || currency.ValueKind == JsonValueKind.String && currency.GetString() == ceiling.Currency)
        && Money.TryParse(amount.GetString()!, ceiling.Currency, out var price) && price <= ceiling ? price : null;

    /// <summary>What a call costs, since when, and what it cost before.</summary>
    private sealed record Answer(Money Amount, DateTimeOffset At, Money? Before, DateTimeOffset BeforeUntil);

    /// <summary>One pricer: its client, and whether it is to be asked.</summary>
    private sealed class Pricer(HttpClient http)
    {
        public int Asking;

        public HttpClient Http => http;

        public DateTimeOffset QuietUntil { get; set; }
    }
}
