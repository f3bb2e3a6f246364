namespace Turnpike.Protocols.Evm;

/// <summary>What became of recovering the signer of a 65-byte signature.</summary>
public enum SignatureCheck
{
    /// <summary>A signer was recovered.</summary>
    Ok,

    /// <summary>Not 65 bytes.</summary>
    BadLength,

    /// <summary>The last byte is neither 27 nor 28: recoverable off chain, refused by dollar tokens on chain.</summary>
    BadV,

    /// <summary>s is above half the group order: the malleable twin of a signature, refused by dollar tokens on chain.</summary>
    HighS,

    /// <summary>r or s is zero or not below the group order.</summary>
    OutOfRange,

    /// <summary>No point of the curve has this r, or the signer would be the point at infinity.</summary>
    NotRecoverable,
}
