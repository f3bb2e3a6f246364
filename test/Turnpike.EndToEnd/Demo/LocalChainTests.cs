using System.Diagnostics;
using Turnpike.Demo;
using Turnpike.EndToEnd.Harness;
using Turnpike.Protocols.Evm;

namespace Turnpike.EndToEnd.Demo;

/// <summary>The chain that the demo and these tests pay on.</summary>
public sealed class LocalChainTests(Chain chain)
{
    [Fact]
    public async Task The_chain_has_a_dollar_that_calls_itself_like_usdc_on_base_sepolia()
    {
        using var rpc = new ChainRpc(chain.Require().Rpc);
        var answer = await rpc.CallAsync("eth_call", default, $$"""{"to":"{{LocalChain.Dollar}}","data":"{{Hex.Encode(Erc3009.DomainSeparator())}}"}""", "\"latest\"");
        // The domain separator of the real one: same name, version, chain and address.
        answer.GetString().ShouldBe("0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818");
        (await chain.BalanceAsync(TestAccounts.Funded[^1])).ShouldBe((UInt256)1_000_000_000_000UL);
    }

    /// <summary>The dollar is as strict as the real one, or tests on it would prove nothing.</summary>
    [Fact]
    public async Task The_dollar_refuses_mirrored_signatures_and_authorizations_outside_their_time()
    {
        using var rpc = new ChainRpc(chain.Require().Rpc);
        var payer = TestAccounts.Funded[^1];
        var good = new Authorization(Address.Parse(payer.Address), Address.Parse(TestAccounts.Merchant.Address), 5UL, 0UL, 99_999_999_999UL, new byte[32]);
        var signature = ExactSigner.Sign(good, payer);
        byte[] low = [.. signature[..64], (byte)(signature[64] - 27)];
        (await CallAsync(good, signature)).ShouldBeNull();
        (await CallAsync(good, ExactSigner.Mirror(signature))).ShouldNotBeNull().ShouldContain("ECRecover: invalid signature 's' value");
        (await CallAsync(good, low)).ShouldNotBeNull().ShouldContain("ECRecover: invalid signature 'v' value");
        (await CallAsync(good with { Value = 6UL }, signature)).ShouldNotBeNull().ShouldContain("FiatTokenV2: invalid signature");
        (await CallAsync(good with { ValidAfter = 99_999_999_998UL }, signature)).ShouldNotBeNull().ShouldContain("not yet valid");
        (await CallAsync(good with { ValidBefore = 1UL }, signature)).ShouldNotBeNull().ShouldContain("expired");

        async Task<string?> CallAsync(Authorization authorization, byte[] signed)
        {
            byte[][] both = [Erc3009.TransferWithAuthorization(authorization, signed), Erc3009.TransferWithAuthorizationBytes(authorization, signed)];
            var errors = new List<string?>();
            foreach (var data in both)
            {
                try
                {
                    await rpc.CallAsync("eth_call", default, $$"""{"to":"{{LocalChain.Dollar}}","data":"{{Hex.Encode(data)}}"}""", "\"latest\"");
                    errors.Add(null);
                }
                catch (InvalidOperationException e)
                {
                    errors.Add(e.Message.Replace("\\u0027", "'", StringComparison.Ordinal));
                }
            }
            errors[1].ShouldBe(errors[0], "both overloads say the same");
            return errors[0];
        }
    }

    [Fact]
    public async Task Settler_and_payer_begin_without_a_transaction()
    {
        using var rpc = new ChainRpc(chain.Require().Rpc);
        (await rpc.CallAsync("eth_getTransactionCount", default, $"\"{TestAccounts.Funded[^1].Address}\"", "\"latest\"")).GetString().ShouldBe("0x0");
        (await rpc.CallAsync("eth_getBalance", default, $"\"{TestAccounts.Settler.Address}\"", "\"latest\"")).GetString().ShouldNotBe("0x0");
    }

    [Fact]
    public async Task A_second_chain_runs_beside_the_first_and_ends_with_its_object()
    {
        chain.Require();
        Uri rpc;
        await using (var second = (await LocalChain.StartAsync(_ => { }, default)).ShouldNotBeNull())
        {
            rpc = second.Rpc;
            rpc.ShouldNotBe(chain.RpcOrNobody);
        }
        using var call = new ChainRpc(rpc);
        await Should.ThrowAsync<HttpRequestException>(() => call.CallAsync("eth_chainId", default));
    }

    [Fact]
    public async Task A_child_dies_with_its_lifeline()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("The watchdog is a shell.");
        using var child = Process.Start(Watchdog.Beside("sleep", ["60"]))!;
        child.HasExited.ShouldBeFalse();
        child.StandardInput.Close();
        using var limit = new CancellationTokenSource(Until.Patience);
        await child.WaitForExitAsync(limit.Token);
        child.ExitCode.ShouldBe(137);
    }
}
