using System.Net;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Turnpike.Catalog;

namespace Turnpike.Tests.Payments.Evm;

/// <summary>Whatever a node says, a payer is believed or not; nothing it says is thrown at a caller.</summary>
public sealed class JsonRpcClientTests
{
    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("<html>502</html>")]
    [InlineData("""{"jsonrpc":"2.0","id":1}""")]
    [InlineData("""{"jsonrpc":"2.0","id":99,"result":"0x1"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":"1"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":5}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":9999999999,"message":"m"}}""")]
    public async Task Nonsense_believes_nobody(string body) => (await AnswerTo(Encoding.UTF8.GetBytes(body))).ShouldBe(Reasons.VerifierDown);

    [Fact]
    public void Random_bytes_believe_nobody() =>
        Check.One(Config.QuickThrowOnFailure.WithReplay(1402, 3), Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => AnswerTo(bytes).GetAwaiter().GetResult() == Reasons.VerifierDown));

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.Found)]
    public async Task A_status_without_an_answer_believes_nobody(HttpStatusCode status) => (await AnswerTo([], status)).ShouldBe(Reasons.VerifierDown);

    private static async Task<Reason> AnswerTo(byte[] body, HttpStatusCode status = HttpStatusCode.OK)
    {
        var rails = new Rails(new Internet(_ => new HttpResponseMessage(status) { Content = new ByteArrayContent(body) }), chain => chain with { Rpc = new Uri("http://odd.test/") });
        return (await rails.Check(rails.Pay())).ShouldNotBeNull().Reason;
    }
}
