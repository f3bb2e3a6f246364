using System.Text;

namespace Turnpike.Protocols.Signatures;

/// <summary>
/// One signature of an HTTP request (RFC 9421), read and not yet believed. <see cref="Base"/> holds the very bytes that were signed;
/// it is null when something it covers is not there or cannot be told without doubt, and then it verifies under no key.
/// </summary>
public sealed class MessageSignature
{
    private const int MaxSignatures = 4;
    private readonly FieldMember input;

    private MessageSignature(string label, FieldMember input, byte[] signature, byte[]? signed) => (Label, this.input, Signature, Base) = (label, input, signature, signed);

    public string Label { get; }

    public byte[] Signature { get; }

    public byte[]? Base { get; }

    public long? Created => input.Item["created"] as long?;

    public long? Expires => input.Item["expires"] as long?;

    public string? KeyId => input.Item["keyid"] as string;

    public string? Algorithm => input.Item["alg"] as string;

    public string? Nonce => input.Item["nonce"] as string;

    public string? Tag => input.Item["tag"] as string;

    /// <summary>True when a parameter is there and is not of the type the standard gives it.</summary>
    public bool IsMalformed => new[] { "created", "expires" }.Any(n => input.Item[n] is not (null or long)) || new[] { "keyid", "alg", "nonce", "tag" }.Any(n => input.Item[n] is not (null or string));

    /// <summary>Every signature of a request; null when the two headers are malformed, do not belong together, or hold too many.</summary>
    public static IReadOnlyList<MessageSignature>? Read(SignedMessage message)
    {
        var (inputs, signatures) = (message.Headers("signature-input"), message.Headers("signature"));
        if (inputs.Count == 0 && signatures.Count == 0) return [];
        if (FieldReader.ReadDictionary(string.Join(", ", inputs)) is not { } described || FieldReader.ReadDictionary(string.Join(", ", signatures)) is not { } signed) return null;
        if (described.Count > MaxSignatures || described.Count != signed.Count) return null;
        var found = new List<MessageSignature>();
        foreach (var (label, input) in described)
        {
            if (input.Items is null || !signed.TryGetValue(label, out var value) || value is not { Items: null, Item: { Value: byte[] bytes, Parameters.Count: 0 } }) return null;
            found.Add(new MessageSignature(label, input, bytes, SignatureBase.Of(message, input) is { } text ? Encoding.ASCII.GetBytes(text) : null));
        }
        return found;
    }

    /// <summary>Does it cover this component, plainly or with any parameters but those that take it from somewhere else?</summary>
    public bool Covers(string component) => input.Items!.Exists(i => i.Value is string name && name == component && i.Parameters.Count == 0);

    /// <summary>Does it cover this member of a dictionary header, <c>"name";key="member"</c>?</summary>
    public bool CoversMember(string header, string member) => input.Items!.Exists(i => i.Value is string name && name == header && i.Parameters is [{ Key: "key", Value: string key }] && key == member);
}
