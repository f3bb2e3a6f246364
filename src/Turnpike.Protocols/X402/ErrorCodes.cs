namespace Turnpike.Protocols.X402;

/// <summary>Reasons as the SDKs spell them, and the generic ones of the written specification (§9).</summary>
public static class ErrorCodes
{
    // exact on EVM, in the order of the checks
    public const string Scheme = "invalid_exact_evm_scheme";
    public const string MissingDomain = "invalid_exact_evm_missing_eip712_domain";
    public const string NetworkMismatch = "invalid_exact_evm_network_mismatch";
    public const string AssetNotDeployed = "asset_not_deployed_contract";
    public const string FactoryNotAllowed = "eip6492_factory_not_allowed";
    public const string FailedToParseSignature = "invalid_exact_evm_failed_to_parse_signature";
    public const string Signature = "invalid_exact_evm_signature";
    public const string UndeployedSmartWallet = "invalid_exact_evm_payload_undeployed_smart_wallet";
    public const string RecipientMismatch = "invalid_exact_evm_recipient_mismatch";
    public const string ValidBefore = "invalid_exact_evm_payload_authorization_valid_before";
    public const string ValidAfter = "invalid_exact_evm_payload_authorization_valid_after";
    public const string ValueMismatch = "invalid_exact_evm_payload_authorization_value_mismatch";
    public const string ValueMismatchV1 = "invalid_exact_evm_authorization_value";
    public const string Eip3009NotSupported = "invalid_exact_evm_eip3009_not_supported";
    public const string NonceAlreadyUsed = "invalid_exact_evm_nonce_already_used";
    public const string TokenNameMismatch = "invalid_exact_evm_token_name_mismatch";
    public const string TokenVersionMismatch = "invalid_exact_evm_token_version_mismatch";
    public const string InsufficientBalance = "invalid_exact_evm_insufficient_balance";
    public const string SimulationFailed = "invalid_exact_evm_transaction_simulation_failed";

    // settlement
    public const string TransactionFailed = "invalid_exact_evm_transaction_failed";
    public const string TransferEventMismatch = "invalid_exact_evm_transfer_event_mismatch";
    public const string SmartWalletDeploymentFailed = "smart_wallet_deployment_failed";
    public const string SettlementPending = "settlement_pending";
    public const string DuplicateSettlement = "duplicate_settlement";

    // extensions
    public const string ExtensionEchoMismatch = "extension_echo_mismatch";

    // the written specification's own
    public const string InsufficientFunds = "insufficient_funds";
    public const string InvalidNetwork = "invalid_network";
    public const string InvalidPayload = "invalid_payload";
    public const string InvalidPaymentRequirements = "invalid_payment_requirements";
    public const string InvalidScheme = "invalid_scheme";
    public const string UnsupportedScheme = "unsupported_scheme";
    public const string InvalidX402Version = "invalid_x402_version";
    public const string InvalidTransactionState = "invalid_transaction_state";
    public const string UnexpectedVerifyError = "unexpected_verify_error";
    public const string UnexpectedSettleError = "unexpected_settle_error";
    public const string UnsupportedPayloadType = "unsupported_payload_type";

    /// <summary>The SDK's code for one the written specification spells differently; any other code is returned as it is.</summary>
    public static string Canonical(string code) => code switch
    {
        "invalid_exact_evm_payload_signature" => Signature,
        "invalid_exact_evm_payload_recipient_mismatch" => RecipientMismatch,
        _ => code,
    };
}
