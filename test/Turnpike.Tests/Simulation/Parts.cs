namespace Turnpike.Tests.Simulation;

/// <summary>What a world has beside one node, its payers and their rails. A seed has its own; one of the corpus keeps those it failed with.</summary>
[Flags]
internal enum Parts
{
    None = 0,

    /// <summary>Several nodes over one store, which is away now and then and does not always say whether it committed; nodes are paused.</summary>
    Nodes = 1,

    /// <summary>An operator who gives back and decides what nobody knows.</summary>
    Operator = 2,

    /// <summary>Answers charged by what passed, plans with allowances, tokens topped up.</summary>
    Metered = 4,

    /// <summary>x402 is verified and settled by somebody else's server.</summary>
    Facilitator = 8,
}

/// <summary>Which parts a seed has.</summary>
internal static class Seeds
{
    /// <summary>Drawn apart from what happens, so that a seed with the same parts is the same run.</summary>
    public static Parts PartsOf(int seed)
    {
        var random = new Random(~seed);
        return random.Next(5) == 0 ? Parts.None : (Parts)random.Next(16);
    }
}
