using Turnpike.Catalog;
using Turnpike.Protocols.Http;

namespace Turnpike.Payments.Prepaid;

/// <summary>The Idempotency-Key of a call: what names a payment from a balance, which has no single-use proof.</summary>
internal static class IdempotencyKey
{
    /// <summary>The hold's id for this payer; null without a key. A refusal when it cannot be read.</summary>
    public static Answer? Read(Call call, string payer, out string? hold)
    {
        hold = null;
        var keys = call.Headers["Idempotency-Key"];
        if (keys.Count == 0) return null;
        if (keys.Count > 1 || StructuredFields.ParseStringOrToken(keys.ToString()) is not { Length: > 0 } key) return new Refusal(Reasons.MalformedRequest, "Idempotency-Key is one string of at most 255 printable characters.");
        hold = $"idem:{payer}:{key}";
        return null;
    }
}
