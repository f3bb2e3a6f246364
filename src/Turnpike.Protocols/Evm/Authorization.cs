namespace Turnpike.Protocols.Evm;

/// <summary>What a payer signs under EIP-3009: from may be debited by value for to, strictly between two unix seconds, once per 32-byte nonce.</summary>
public sealed record Authorization(Address From, Address To, UInt256 Value, UInt256 ValidAfter, UInt256 ValidBefore, byte[] Nonce);
