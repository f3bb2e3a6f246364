using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;

namespace Turnpike.Pricing;

/// <summary>What becomes of a metered answer whose caller leaves.</summary>
/// <param name="Drain">Read on, so that the upstream's own word on usage is heard; else break off and charge what passed.</param>
/// <param name="For">How long at most.</param>
internal sealed record HangUpRule(bool Drain, TimeSpan For)
{
    public static readonly HangUpRule Default = new(true, TimeSpan.FromSeconds(30));

    public static HangUpRule Of(Operation operation) => operation.Settings.Get<HangUpRule>() ?? Default;
}

/// <summary>The <c>on-hang-up:</c> of an operation.</summary>
internal static class HangUpSection
{
    private static readonly Shape<bool> Word = new ChoiceShape<bool>(("drain", true), ("cancel", false));

    private static readonly Key<bool> Do = new("do", Word, "drain or cancel.") { Required = true, Example = "drain" };
    private static readonly Key<TimeSpan> For = new("for", Shapes.Duration, "How long an answer nobody waits for is read on.") { Default = "30s", Example = "30s" };

    private static readonly Key<HangUpRule> Key = new("on-hang-up",
        new ShortOrMapShape<HangUpRule>(new ConvertedShape<bool, HangUpRule>(Word, drain => HangUpRule.Default with { Drain = drain }), new MapShape<HangUpRule>([Do, For], m => new HangUpRule(m.Get(Do), m.Get(For, HangUpRule.Default.For)))),
        "When the caller of a metered answer leaves: drain reads on to hear what was used, cancel breaks off and charges what passed.") { Default = "drain", Example = "cancel" };

    public static readonly Section Section = new(Scope.Operation, Key);
}
