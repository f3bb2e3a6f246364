using System.Globalization;
using System.Net;
using System.Text;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;
using Turnpike.Tests.Catalog;
using Turnpike.Tests.Client;
using Turnpike.Tests.Payments.Evm;

namespace Turnpike.Tests.Simulation.Outside;

/// <summary>
/// An upstream that itself asks for payment. It takes it from the chain at once or later, and answers, breaks off, says 500 or asks
/// again; what nobody brought to it, it never takes.
/// </summary>
internal sealed class SimulatedSeller(World world)
{
    public const string Host = "seller.test", Goods = "goods ";

    private static readonly Address Wallet = Secp256k1.AddressOf(Hex.Decode(Documents.Variables["WALLET_KEY"])!);
    private readonly HttpMessageInvoker shop = new(new FakeSeller { ResourceHost = Host, Offers = "x402", Clock = () => world.Scheduler.Now });
    private readonly Dictionary<string, long> brought = [];
    private readonly HashSet<string> given = [];
    private int sold, collected;

    /// <summary>What the chain took of the owner's wallet, in millionths.</summary>
    public long Taken => brought.Where(b => world.Chain.Token.Used.Contains(b.Key)).Sum(b => b.Value);

    /// <summary>What it gave its goods for and could not collect: a 2xx is believed.</summary>
    public long Believed => brought.Where(b => given.Contains(b.Key) && !world.Chain.Token.Used.Contains(b.Key)).Sum(b => b.Value);

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var credential = request.Headers.TryGetValues("PAYMENT-SIGNATURE", out var values) ? values.Single() : null;
        var trouble = world.Scheduler.Chance(world.Weather.Upstream) ? world.Scheduler.Random.Next(5) : -1;
        world.Say($"the seller {(credential is null ? "is asked" : "is paid")}{(trouble switch { 0 => " and cannot be reached", 1 => " and says 500", 2 => " and says nothing", 3 => " and asks for more", 4 => " and is late", _ => "" })}");
        if (trouble == 0) throw new HttpRequestException(HttpRequestError.ConnectionError);
        world.Chain.Token.Balances[Wallet] = 1_000_000_000; // a purse that is never empty
        var answer = await shop.SendAsync(request, ct);
        answer.RequestMessage = request; // as every client of HTTP does
        if (credential is not null && answer.IsSuccessStatusCode)
        {
            // Whoever has the proof may use it, whatever it answers.
            if (trouble is -1 or 4 || world.Scheduler.Chance(60)) Collect(credential, late: trouble == 4 || trouble > 0 && world.Scheduler.Chance(50));
            answer.Content = new StringContent($"{Goods}{sold++}");
            if (trouble is -1 or 4) given.Add(KeyOf(PayloadOf(credential)));
        }
        return trouble switch
        {
            1 => new HttpResponseMessage(HttpStatusCode.InternalServerError) { Content = new StringContent("broken") },
            2 => throw new HttpRequestException(HttpRequestError.ResponseEnded),
            3 when credential is not null => new HttpResponseMessage(HttpStatusCode.PaymentRequired) { RequestMessage = request, Content = new StringContent("more", Encoding.UTF8) },
            _ => answer,
        };
    }

    private static ExactEvmPayload PayloadOf(string credential) => ExactEvmPayload.Parse(X402Header.Decode(credential).Payment!.Payload, out _)!;

    private static string KeyOf(ExactEvmPayload payload) => FakeToken.Key(payload.Authorization.From, payload.Authorization.Nonce);

    private void Collect(string credential, bool late)
    {
        var payload = PayloadOf(credential);
        brought[KeyOf(payload)] = (long)payload.Authorization.Value.Low;
        for (var times = world.Scheduler.Chance(20) ? 2 : 1; times > 0; times--)
        {
            var hash = "0x" + (++collected).ToString("x64", CultureInfo.InvariantCulture);
            if (late) world.Later(world.Scheduler.Between(100, 120_000), "the seller collects", () => world.Chain.SettleByOther(payload.Authorization, payload.Signature, hash));
            else world.Chain.SettleByOther(payload.Authorization, payload.Signature, hash);
        }
    }
}
