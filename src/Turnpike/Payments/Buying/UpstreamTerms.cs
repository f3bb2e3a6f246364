using System.Collections.Concurrent;
using Turnpike.Catalog;
using Turnpike.Identity;
using Turnpike.Ledger;
using Turnpike.Pricing;
using Turnpike.Pricing.Buying;

namespace Turnpike.Payments.Buying;

/// <summary>
/// Asks an upstream unpaid what a call costs, for a price made of it. Its answer is good for a few seconds; one that is no 402 is
/// thrown away, and nothing is sold then: who sells for nothing today may ask tomorrow, and we would have told no price.
/// </summary>
internal sealed class UpstreamTerms(HttpClients clients, Wallets wallets, TimeProvider time) : IDisposable
{
    private const int MostAnswer = 256 * 1024, MostKept = 10_000, MostAtOnce = 64;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10), Patience = TimeSpan.FromSeconds(10), Quiet = TimeSpan.FromSeconds(1);

    private readonly Recent<string, (Money Cost, DateTimeOffset At)> told = new(MostKept);
    private readonly ConcurrentDictionary<Uri, Seller> sellers = new();

    public async ValueTask<UpstreamPrice?> CostAsync(Call call, CancellationToken ct)
    {
        if (Spending.Of(call) is not { } spending || call.Operation.Settings.Get<PriceModel>() is not PriceModel.CostPlus price) return null;
        var service = call.Catalog.ServiceOf(call.Operation);
        var target = service.Upstream.Targets[0].Url;
        var body = call.ReadBody is null ? null : (await call.ReadBody(ct)).ToArray();
        var key = $"{call.Catalog.Version} {call.Method} {target}{service.Below(call.Target.Value)} {await PaymentReplies.DigestAsync(call)}";
        var now = time.GetUtcNow();
        if (told.TryGet(key, out var last) && now - last.At < Fresh) return new UpstreamPrice(last.Cost, null);
        var seller = sellers.GetOrAdd(target, url => new Seller(clients(url, Patience, MostAnswer)));
        // Nobody who asks for terms again and again makes us ask outside without end.
        if (now < seller.QuietUntil || seller.Asking >= MostAtOnce) return null;
        Interlocked.Increment(ref seller.Asking);
        try
        {
            using var request = Request(call, service, target, body);
            using var response = await seller.Http.SendAsync(request, ct);
            response.RequestMessage = request;
            if ((int)response.StatusCode != 402 || await AskedTerms.ReadAsync(response, ct) is not { } terms) return null;
            var most = price.MostCost(price.Ceiling) is var margin && spending.PerCall is { } each && each.Currency == margin.Currency && each < margin ? each : margin;
            if (Shopping.Choose(spending, wallets.Of(call.Catalog, spending), terms, most, out var why) is not { } choice) return new UpstreamPrice(null, why);
            told.Keep(key, (choice.Amount, now), told.Stamp);
            return new UpstreamPrice(choice.Amount, null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException || e is OperationCanceledException && !ct.IsCancellationRequested)
        {
            seller.QuietUntil = time.GetUtcNow() + Quiet;
            return null;
        }
        finally { Interlocked.Decrement(ref seller.Asking); }
    }

    public void Dispose()
    {
        foreach (var seller in sellers.Values) seller.Http.Dispose();
    }

    /// <summary>As the call will be sent, but for who calls and who pays: a seller is told neither.</summary>
    private static HttpRequestMessage Request(Call call, Service service, Uri target, byte[]? body)
    {
        var url = new Uri(target.AbsoluteUri.TrimEnd('/') + service.Below(call.Target.Value), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(new HttpMethod(call.Method), url);
        if (body is { Length: > 0 })
        {
            request.Content = new ByteArrayContent(body);
            if (call.Headers.ContentType is [{ } type]) request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }
        if (call.Headers.Accept is [{ } accept]) request.Headers.TryAddWithoutValidation("Accept", accept);
        foreach (var (name, value) in service.Headers) request.Headers.TryAddWithoutValidation(name, value.Reveal());
        return request;
    }

    /// <summary>One seller: its client, and whether it is to be asked.</summary>
    private sealed class Seller(HttpClient http)
    {
        public int Asking;

        public HttpClient Http => http;

        public DateTimeOffset QuietUntil { get; set; }
    }
}
