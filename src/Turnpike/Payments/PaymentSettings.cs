using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Payments.Costs;
using Turnpike.Protocols.Evm;

namespace Turnpike.Payments;

/// <summary>The <c>payments:</c> section: every rail the owner takes money on.</summary>
internal sealed record PaymentSettings
{
    public IReadOnlyList<ChainSettings> Chains { get; init; } = [];

    public X402Settings? X402 { get; init; }

    public MppSettings? Mpp { get; init; }

    public PrepaidSettings? Prepaid { get; init; }

    /// <summary>Callers may spend what they were granted.</summary>
    public bool Balance { get; init; }

    public AnswerSettings Answers { get; init; } = AnswerSettings.Usual;

    /// <summary>What taking a payment costs, by method, chain, or <c>method/chain</c>.</summary>
    public IReadOnlyDictionary<string, RailCost> Costs { get; init; } = System.Collections.Frozen.FrozenDictionary<string, RailCost>.Empty;
}

/// <summary><c>payments.answers</c>: what is kept of answers that were paid for, for whoever lost them on the way.</summary>
/// <param name="MostBytes">A larger body is not kept.</param>
/// <param name="Keep">For how long.</param>
internal sealed record AnswerSettings(int MostBytes, TimeSpan Keep)
{
    public static readonly AnswerSettings Usual = new(1024 * 1024, TimeSpan.FromMinutes(15));
}

/// <summary>One EVM chain: who to ask, in what asset, to whom.</summary>
internal sealed record ChainSettings
{
    /// <summary>CAIP-2, <c>eip155:84532</c>.</summary>
    public required string Network { get; init; }

    public required ulong ChainId { get; init; }

    /// <summary>The JSON-RPC node; null when a facilitator does it all.</summary>
    public Uri? Rpc { get; init; }

    public required AssetSettings Asset { get; init; }

    public required Address PayTo { get; init; }

    /// <summary>Signs settlements; null when a facilitator settles.</summary>
    public Secret? SettlerKey { get; init; }

    public Uri? Facilitator { get; init; }
}

/// <summary>A token contract with its EIP-712 domain.</summary>
/// <param name="Currency">The money it counts as, <c>USD</c>.</param>
internal sealed record AssetSettings(Address Address, string Name, string Version, int Decimals, string Currency);

/// <summary><c>payments.x402</c>.</summary>
/// <param name="IdentifierRequired">Every v2 payment names itself by the extension <c>payment-identifier</c>.</param>
internal sealed record X402Settings(IReadOnlyList<ChainSettings> Chains, bool IdentifierRequired = false);

/// <summary><c>payments.mpp</c>: secrets sign challenges, current first.</summary>
internal sealed record MppSettings(IReadOnlyList<Secret> Secrets)
{
    public IReadOnlyList<ChainSettings> EvmChains { get; init; } = [];

    public StripeSettings? Stripe { get; init; }

    /// <summary>Sign what Stripe tells of charges that went back; none: nothing is told.</summary>
    public IReadOnlyList<Secret> StripeWebhookSecrets { get; init; } = [];

    /// <summary>How long a challenge may be paid.</summary>
    public TimeSpan Valid { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary><c>payments.mpp.stripe</c>.</summary>
internal sealed record StripeSettings(Secret SecretKey, string Profile, Uri Api);

/// <summary><c>payments.prepaid</c>: secrets derive tokens from their ids, current first.</summary>
internal sealed record PrepaidSettings(IReadOnlyList<Secret> Secrets)
{
    /// <summary>Makes and reads token texts under these secrets.</summary>
    public Tokens.TokenText Text { get; } = new([.. Secrets.Select(s => s.Bytes())]);

    /// <summary>What is sold at <c>/buy/{operation}</c>, in the order of the document.</summary>
    public IReadOnlyList<Bundle> Bundles { get; init; } = [];

    /// <summary>Takes the money for bundles; null when they are not sold by Stripe.</summary>
    public StripeCheckoutSettings? Checkout { get; init; }

    /// <summary>Whether buyers may have tokens topped up by themselves; null: nobody is offered that.</summary>
    public AutomaticTopUp? Automatic { get; init; }
}

/// <summary><c>payments.prepaid.automatic-top-up</c>.</summary>
/// <param name="Monthly">The most a buyer may agree to be charged in a month without being asked.</param>
internal sealed record AutomaticTopUp(Money Monthly);

/// <summary>What a buyer pays, and what the token may then spend: a larger budget is a gift, a smaller one leaves a fee.</summary>
internal sealed record Bundle(Money Price, Money Budget, long? Calls, TimeSpan? Valid);

/// <summary><c>payments.prepaid.checkout.stripe</c>.</summary>
/// <param name="Account">The connected account that is paid directly; null: the key's own.</param>
/// <param name="Fee">The platform's share of each sale, in hundredths of a percent.</param>
internal sealed record StripeCheckoutSettings(Secret SecretKey, IReadOnlyList<Secret> WebhookSecrets, Uri Api, string? Account, int Fee);
