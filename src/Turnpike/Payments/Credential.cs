using System.Security.Cryptography;
using System.Text;
using Turnpike.Catalog;

namespace Turnpike.Payments;

/// <summary>A payment credential, parsed once and not yet believed. Protocols derive their own.</summary>
internal abstract record Credential(string Protocol)
{
    /// <summary>SHA-256 of what was presented: only the same bytes are given the stored answer.</summary>
    public required string Digest { get; init; }

    /// <summary>The method this credential belongs to, by name.</summary>
    public required string Method { get; init; }

    /// <summary>The correlation its challenge carried, if that is authentic.</summary>
    public string? Correlation { get; init; }

    /// <summary>The terms it answers, when it carries authentic ones.</summary>
    public SealedTerms? Terms { get; init; }

    /// <summary>The name its payer gave to this very payload, where the protocol has such names.</summary>
    public string? Identifier { get; init; }

    /// <summary>What speaks against it before any method looks: asked only of payments that are not known yet.</summary>
    public Refusal? Objection { get; init; }

    /// <summary>True when it answers nothing of ours: then it names no hold either, and the objection comes first.</summary>
    public bool Forged { get; init; }

    /// <summary>What cannot be read: 402, with the protocol's own code where it has one.</summary>
    internal sealed record Malformed(string Protocol, string Detail, string? Code = null) : Credential(Protocol);

    /// <summary>More than one value, or more than one kind: 400.</summary>
    internal sealed record Ambiguous(string Protocol, string Detail) : Credential(Protocol);

    public static Credential Unreadable(string protocol, string detail, string? code = null) =>
        new Malformed(protocol, detail, code) { Digest = "", Method = "" };

    public static Credential Several(string protocol, string detail) => new Ambiguous(protocol, detail) { Digest = "", Method = "" };

    public static string DigestOf(string presented, string context = "") =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(presented + "\n" + context)));
}
