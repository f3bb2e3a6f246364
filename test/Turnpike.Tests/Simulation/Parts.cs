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

    /// <summary>Somebody else verifies and settles for the chain, half of them where we have a node to look for ourselves.</summary>
    Facilitator = 4,

    /// <summary>Answers that are streamed and charged by what passed.</summary>
    Streams = 8,

    /// <summary>A caller whose plan includes some calls a minute.</summary>
    Plans = 16,

    /// <summary>Tokens sold in one call, used, topped up and replaced.</summary>
    Sales = 32,

    /// <summary>When all is over, everybody is erased while it storms again.</summary>
    Erasure = 64,

    /// <summary>A service whose upstream itself asks for payment.</summary>
    Buying = 128,

    /// <summary>A token whose buyer agreed to have it topped up.</summary>
    TopUps = 256,
}

/// <summary>Which parts a seed has.</summary>
internal static class Seeds
{
    /// <summary>Those that failed once, with the parts of their worlds and what they found.</summary>
    public static readonly IReadOnlyList<(int Seed, Parts Parts, string What)> Corpus =
    [
        .. File.ReadLines(Catalog.Documents.FromRoot("test/Turnpike.Tests/Simulation/corpus.txt")).Where(line => line is not ['#', ..])
            .Select(line => line.Split(' ', 3)).Select(found => (int.Parse(found[0], System.Globalization.CultureInfo.InvariantCulture), Enum.Parse<Parts>(found[1]), found[2])),
    ];

    /// <summary>Drawn apart from what happens, so that a seed with the same parts is the same run.</summary>
    public static Parts PartsOf(int seed)
    {
        var random = new Random(~seed);
        var parts = (Parts)(random.Next(4) + 4 * random.Next(32));
        if (random.Next(4) == 0) parts |= Parts.Buying;
        return random.Next(4) == 0 ? parts | Parts.TopUps : parts;
    }
}
