namespace Turnpike.Identity.Signatures;

/// <summary>Which signed agents are believed, by the standard they sign by; null: not looked at.</summary>
internal sealed record SignatureSettings(WebBotAuthSettings? WebBotAuth, TapSettings? Tap, WalletSettings? Wallets);

/// <summary>Agents that publish their keys at an address of theirs.</summary>
/// <param name="Agents">Whose; null: anybody's.</param>
/// <param name="Anybody">True: an agent nobody listed is a caller of its own, <c>agent:ADDRESS</c>.</param>
internal sealed record WebBotAuthSettings(IReadOnlyList<Uri>? Agents, bool Anybody, TimeSpan MaxAge);

/// <summary>Agents in a payment network's register.</summary>
internal sealed record TapSettings(Uri Keys, bool Anybody);

/// <summary>Wallets that sign requests (ERC-8128).</summary>
internal sealed record WalletSettings(bool Anybody);
