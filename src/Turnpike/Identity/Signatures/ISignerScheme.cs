using Turnpike.Catalog;
using Turnpike.Protocols.Signatures;

namespace Turnpike.Identity.Signatures;

/// <summary>One standard for signing requests: whose signature is this, and is it theirs?</summary>
internal interface ISignerScheme
{
    string Name { get; }

    /// <summary>Is this signature made by this standard? By tag or key id, as each says.</summary>
    bool Claims(MessageSignature signature);

    /// <summary>How long its signatures may live; null: it is not configured.</summary>
    TimeSpan? MaxAge(SignatureSettings settings);

    ValueTask<Signer> VerifyAsync(Call call, MessageSignature signature, SignatureSettings settings, CancellationToken ct);
}

/// <summary>Who signed. Without names: why nobody can be believed to have, which refuses (<see cref="Wrong"/>) or leaves it open (<see cref="Unknown"/>).</summary>
/// <param name="Names">Every name a credential may be bound to, the one that says who asks first.</param>
/// <param name="Anybody">May somebody of that name be a caller though nobody listed it?</param>
internal sealed record Signer(IReadOnlyList<string> Names, bool Anybody, string? Objection, bool Open)
{
    public static Signer Of(bool anybody, params IReadOnlyList<string> names) => new(names, anybody, null, false);

    public static Signer Wrong(string why) => new([], false, why, false);

    public static Signer Unknown(string why) => new([], false, why, true);
}
