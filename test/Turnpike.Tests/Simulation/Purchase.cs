using Turnpike.Tests.Gateway;

namespace Turnpike.Tests.Simulation;

/// <summary>One thing a payer wants, and what became of it as the payer saw it.</summary>
internal sealed class Purchase(Ask ask, string how)
{
    /// <summary>The request with its credential.</summary>
    public Ask Ask { get; set; } = ask;

    public string How => how;

    /// <summary>Its answer is a token: the same one each time, with what it then has.</summary>
    public bool BuysToken { get; } = ask.Target.StartsWith(Wares.Shopper.Selling, StringComparison.Ordinal);

    /// <summary>Its answer is charged when it has ended.</summary>
    public bool IsStream { get; } = ask.Target == "/chat";

    /// <summary>Its answer was bought from somebody else.</summary>
    public bool IsResale { get; } = ask.Target == "/lookup";

    /// <summary>Presenting it again is not another purchase: the credential is single-use, or the call has a key.</summary>
    public bool Repeatable { get; init; }

    /// <summary>Presentations that were answered in full with 200, oldest first.</summary>
    public List<Told> Answers { get; } = [];

    /// <summary>A presentation was left by its caller, or its connection broke.</summary>
    public bool Left { get; set; }
}
