namespace Turnpike.EndToEnd.Harness;

/// <summary>Tests that need the ports of the documents (8402, 8403), one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class DefaultPorts
{
    public const string Name = "default ports";
}
