namespace Turnpike.Protocols.Mpp;

/// <summary>A credential, or why there is none: no Payment scheme at all, or one that is malformed.</summary>
public readonly record struct MppCredentialResult
{
    private MppCredentialResult(MppCredential? credential, string? error)
    {
        Credential = credential;
        Error = error;
    }

    public MppCredential? Credential { get; }

    /// <summary>One of <see cref="MppCredentialErrors"/>, or null.</summary>
    public string? Error { get; }

    /// <summary>True if the header holds no Payment credential: it is somebody else's.</summary>
    public bool IsAbsent => Credential is null && Error is null;

    public static MppCredentialResult None => default;

    public static MppCredentialResult Of(MppCredential credential) => new(credential, null);

    public static MppCredentialResult Malformed(string error) => new(null, error);
}
