namespace Turnpike.Protocols.Evm;

/// <summary>Reads what a token said when it reverted and names the x402 code for it.</summary>
public static class RevertReason
{
    private static readonly byte[] ErrorSelector = Abi.Selector("Error(string)");

    private static readonly (string Part, string Code)[] Table =
    [
        ("not yet valid", "invalid_exact_evm_payload_authorization_valid_after"),
        ("expired", "invalid_exact_evm_payload_authorization_valid_before"),
        ("used or canceled", "invalid_exact_evm_nonce_already_used"),
        ("authorizationalreadyused", "invalid_exact_evm_nonce_already_used"),
        ("authorization is used", "invalid_exact_evm_nonce_already_used"),
        ("exceeds balance", "invalid_exact_evm_insufficient_balance"),
        ("insufficient balance", "invalid_exact_evm_insufficient_balance"),
        ("invalid signature", "invalid_exact_evm_signature"),
        ("ecrecover: ", "invalid_exact_evm_signature"),
    ];

    /// <summary>The code for a revert text or a node's error message; <paramref name="otherwise"/> where nothing is recognised.</summary>
    public static string CodeOf(string? text, string otherwise = "invalid_exact_evm_transaction_failed")
    {
        foreach (var (part, code) in Table)
            if (text?.Contains(part, StringComparison.OrdinalIgnoreCase) == true) return code;
        return otherwise;
    }

    /// <summary>The text inside revert data of the form <c>Error(string)</c>, or null.</summary>
    public static string? Text(ReadOnlySpan<byte> revertData) =>
        revertData.StartsWith(ErrorSelector) ? Abi.DecodeString(revertData[4..]) : null;
}
