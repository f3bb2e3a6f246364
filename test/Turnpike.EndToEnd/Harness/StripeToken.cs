namespace Turnpike.EndToEnd.Harness;

/// <summary>A Shared Payment Token as the stand-in keeps it: what its owner allowed, and whether it is spent.</summary>
internal sealed record StripeToken(string Id, long MaxAmount, string Currency, DateTimeOffset Expires, string PaymentMethod, string Seller)
{
    public bool Used { get; set; }
}

/// <summary>A payment intent as the stand-in keeps it.</summary>
internal sealed record StripeIntent(string Id, long Amount, string Currency, string Status, IReadOnlyDictionary<string, string> Metadata);

/// <summary>A refund as the stand-in keeps it; <see cref="Name"/> is the metadata the seller gave it.</summary>
internal sealed record StripeRefundMade(string Id, string Intent, long Amount, string? Name);
