using Turnpike.Catalog;
using Turnpike.Protocols.Evm;
using Turnpike.Protocols.X402;

namespace Turnpike.Tests.Payments.Evm;

/// <summary>What only the chain can say of a payment, and the code for each no.</summary>
public sealed class AuthorizationVerifierTests
{
    private static readonly Address Wallet = Address.Parse("0x90F79bf6EB2c4f870365E785982E1f101E93b906");
    private readonly Rails rails = new();

    public static TheoryData<string, string> Troubles => new()
    {
        { "no money", ErrorCodes.InsufficientBalance },
        { "used", ErrorCodes.NonceAlreadyUsed },
        { "used and swallowed", ErrorCodes.NonceAlreadyUsed },
        { "another name", ErrorCodes.TokenNameMismatch },
        { "another version", ErrorCodes.TokenVersionMismatch },
        { "no contract", ErrorCodes.AssetNotDeployed },
        { "paused", ErrorCodes.SimulationFailed },
    };

    [Theory]
    [MemberData(nameof(Troubles))]
    public async Task What_the_chain_would_refuse_is_refused_before_serving(string trouble, string code)
    {
        var authorization = rails.Authorize();
        var token = rails.Node.Token;
        switch (trouble)
        {
            case "no money": token.Balances[Rails.Payer] = 9_999; break;
            case "used": token.Used.Add(FakeToken.Key(Rails.Payer, authorization.Nonce)); break;
            case "used and swallowed": (token.SwallowsUsed, _) = (true, token.Used.Add(FakeToken.Key(Rails.Payer, authorization.Nonce))); break;
            case "another name": token.Name = "Other"; break;
            case "another version": token.Version = "1"; break;
            case "no contract": token.Deployed = false; break;
            default: token.AlwaysReverts = "Pausable: paused"; break;
        }
        var refusal = (await rails.Check(rails.Pay(authorization))).ShouldNotBeNull();
        refusal.Code.ShouldBe(code);
        refusal.Reason.Status.ShouldBe(402);
    }

    [Fact]
    public async Task The_assets_code_is_asked_once_in_a_quarter_of_an_hour()
    {
        (await rails.Check(rails.Pay())).ShouldBeNull();
        (await rails.Check(rails.Pay())).ShouldBeNull();
        rails.Node.Asked.Count(m => m == "eth_getCode").ShouldBe(1);
        rails.Time.Leap(TimeSpan.FromMinutes(16));
        (await rails.Check(rails.Pay())).ShouldBeNull();
        rails.Node.Asked.Count(m => m == "eth_getCode").ShouldBe(2);
    }

    [Fact]
    public async Task A_contract_wallet_is_asked_whether_it_signed()
    {
        rails.Node.Token.Balances[Wallet] = 50_000;
        rails.Node.Token.Wallets[Wallet] = true;
        var signature = new byte[130];
        var payment = rails.Pay(rails.Authorize(from: Wallet), signature);
        (await rails.Check(payment)).ShouldBeNull();
        payment.Payer.ShouldBe($"eip155:84532:{Wallet.ToLowerHex()}");
        rails.Node.Token.Wallets[Wallet] = false;
        (await rails.Check(rails.Pay(rails.Authorize(from: Wallet), signature))).ShouldNotBeNull().Code.ShouldBe(ErrorCodes.Signature);
    }

    [Fact]
    public async Task A_long_signature_of_an_account_without_code_is_refused() =>
        (await rails.Check(rails.Pay(rails.Authorize(), new byte[130]))).ShouldNotBeNull().Code.ShouldBe(ErrorCodes.Signature);

    [Fact]
    public async Task A_wallet_that_is_not_deployed_is_refused_for_its_factory_and_believed_once_it_is()
    {
        rails.Node.Token.Balances[Wallet] = 50_000;
        byte[] inner = new byte[65];
        byte[] wrapped = [.. Abi.Word(rails.Chain.PayTo), .. Abi.Word(96UL), .. Abi.Word(128UL), .. Abi.Tail([]), .. Abi.Tail(inner), .. Enumerable.Repeat((byte)0x64, 0), .. Magic];
        (await rails.Check(rails.Pay(rails.Authorize(from: Wallet), wrapped))).ShouldNotBeNull().Code.ShouldBe(ErrorCodes.FactoryNotAllowed);
        rails.Node.Token.Wallets[Wallet] = true;
        (await rails.Check(rails.Pay(rails.Authorize(from: Wallet), wrapped))).ShouldBeNull();
    }

    [Theory]
    [InlineData("chain")]
    [InlineData("domain")]
    [InlineData("decimals")]
    [InlineData("contract")]
    public async Task A_chain_that_is_not_as_configured_is_not_offered_until_it_is(string wrong)
    {
        var node = rails.Node;
        switch (wrong)
        {
            case "chain": node.ReportedChainId = 1; break;
            case "domain": node.Token.Version = "1"; break;
            case "decimals": node.Token.Decimals = 18; break;
            default: node.Token.Deployed = false; break;
        }
        await rails.Watch.RoundAsync(default);
        rails.Exact.Offer(rails.Call()).ShouldBeEmpty();
        rails.Evm.Offer(rails.Call()).ShouldBeEmpty();
        (node.ReportedChainId, node.Token.Version, node.Token.Decimals, node.Token.Deployed) = (FakeChain.ChainId, "2", 6, true);
        rails.Time.Leap(TimeSpan.FromMinutes(16));
        await rails.Watch.RoundAsync(default);
        rails.Exact.Offer(rails.Call()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_node_that_is_silent_at_start_is_offered_and_fails_closed_when_paid()
    {
        rails.Node.Interrupt = FakeChain.Down;
        await rails.Watch.RoundAsync(default);
        rails.Exact.Offer(rails.Call()).Count.ShouldBe(1);
        (await rails.Check(rails.Pay())).ShouldNotBeNull().Reason.ShouldBe(Reasons.VerifierDown);
    }

    private static readonly byte[] Magic = [.. Enumerable.Repeat(new byte[] { 0x64, 0x92 }, 16).SelectMany(b => b)];
}
