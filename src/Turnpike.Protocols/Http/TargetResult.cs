namespace Turnpike.Protocols.Http;

/// <summary>A canonical request target, or why there is none.</summary>
public readonly record struct TargetResult(string Path, string Query, string? Error)
{
    public string Value => Path + Query;
}
