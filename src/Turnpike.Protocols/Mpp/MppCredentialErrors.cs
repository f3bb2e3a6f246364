namespace Turnpike.Protocols.Mpp;

/// <summary>The stable reasons for which a Payment credential is malformed.</summary>
public static class MppCredentialErrors
{
    /// <summary>Two Payment credentials: to be answered 400, the others 402 malformed-credential.</summary>
    public const string MoreThanOne = "more_than_one_credential";

    public const string TooLong = "credential_too_long";
    public const string Base64 = "not_base64url";
    public const string Json = "not_a_json_object";
    public const string Challenge = "challenge_malformed";
    public const string Payload = "payload_missing";
    public const string Source = "source_malformed";
}
