namespace Turnpike.Protocols.Signatures;

/// <summary>One agent of a <c>Signature-Agent</c> header (Web Bot Auth): where its keys are.</summary>
/// <param name="Label">Its name in a dictionary; null for the older form, one bare text.</param>
/// <param name="Value">A URL, not checked.</param>
/// <param name="Type">What is found there: <c>directory</c> when it says nothing.</param>
public sealed record SignatureAgent(string? Label, string Value, string? Type)
{
    /// <summary>The agents in order, or null when the header is malformed.</summary>
    public static IReadOnlyList<SignatureAgent>? Read(string header)
    {
        if (FieldReader.ReadItem(header) is { Value: string bare, Parameters.Count: 0 }) return [new SignatureAgent(null, bare, null)];
        if (FieldReader.ReadDictionary(header) is not { } members) return null;
        var agents = new List<SignatureAgent>();
        foreach (var (label, member) in members)
        {
            if (member is not { Items: null, Item.Value: string url }) return null;
            agents.Add(new SignatureAgent(label, url, (member.Item["type"] as FieldToken)?.Text ?? member.Item["type"] as string));
        }
        return agents;
    }
}
