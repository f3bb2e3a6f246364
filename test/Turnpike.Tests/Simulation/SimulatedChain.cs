using System.Net.Http.Headers;
using Turnpike.Tests.Payments.Evm;

namespace Turnpike.Tests.Simulation;

/// <summary>The way to the chain's node: requests are lost before or after their effect, transactions arrive late and twice.</summary>
internal sealed class SimulatedChain(World world, FakeChain chain) : DelegatingHandler(chain)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = await request.Content!.ReadAsStringAsync(cancellationToken);
        if (body.Contains("eth_sendRawTransaction", StringComparison.Ordinal)) return await BroadcastAsync(request.RequestUri!, body);
        if (world.Scheduler.Chance(world.Weather.Chain)) throw Lost("a question to the chain");
        return await AskAsync(request.RequestUri!, body);
    }

    private async Task<HttpResponseMessage> BroadcastAsync(Uri node, string body)
    {
        var (late, lost) = (world.Scheduler.Chance(world.Weather.LateTransactions), world.Scheduler.Chance(world.Weather.Chain));
        if (late) world.Later(world.Scheduler.Between(100, 90_000), "a transaction arrives late", () => _ = AskAsync(node, body));
        if (lost && world.Scheduler.Chance(50)) throw Lost("a transaction");
        if (late && world.Scheduler.Chance(50)) throw Lost("word of a transaction that arrives late");
        var answer = await AskAsync(node, body);
        world.Say("a transaction reaches the chain");
        return lost ? throw Lost("word of a transaction") : answer;
    }

    private Task<HttpResponseMessage> AskAsync(Uri node, string body) =>
        base.SendAsync(new HttpRequestMessage(HttpMethod.Post, node) { Content = new StringContent(body, MediaTypeHeaderValue.Parse("application/json")) }, CancellationToken.None);

    private HttpRequestException Lost(string what)
    {
        world.Say($"{what} is lost");
        return new HttpRequestException(HttpRequestError.ConnectionError, "lost");
    }
}
