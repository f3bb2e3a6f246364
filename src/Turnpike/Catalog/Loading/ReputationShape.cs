using Turnpike.Catalog.Document;

namespace Turnpike.Catalog.Loading;

/// <summary>What a caller's reputation has to be, as access and prices ask for it.</summary>
internal static class ReputationShape
{
    private const long Most = 1_000_000_000;

    private static readonly Key<long> Paid = new("paid-at-least", Shapes.Integer(1, Most), "Payments that were settled.") { Default = "none", Example = "10" };
    private static readonly Key<long> Disputed = new("disputed-at-most", Shapes.Integer(0, Most), "Payments that were taken back.") { Default = "any number", Example = "0" };
    private static readonly Key<long> Denied = new("denied-at-most", Shapes.Integer(0, Most), "Calls that were refused by its own fault.") { Default = "any number", Example = "100" };
    private static readonly Key<long> Tripped = new("tripped-at-most", Shapes.Integer(0, Most), "Breakers that opened for it.") { Default = "any number", Example = "0" };

    public static readonly Shape<ReputationBounds> Shape = new MapShape<ReputationBounds>([Paid, Disputed, Denied, Tripped], Build);

    /// <summary>The key <c>reputation</c>.</summary>
    public static Key<ReputationBounds> Key(string doc) => new("reputation", Shape, doc + $" Counted from the trail over {Reputation.Days} days, a minute late at most.") { Default = "any", Example = "{ paid-at-least: 10, disputed-at-most: 0 }" };

    private static ReputationBounds? Build(MapValues m)
    {
        if (new Key[] { Paid, Disputed, Denied, Tripped }.All(key => !m.IsWritten(key))) { m.At.Refuse("asks for nothing: paid-at-least, disputed-at-most, denied-at-most or tripped-at-most"); return null; }
        return new ReputationBounds(Written(m, Paid), Written(m, Disputed), Written(m, Denied), Written(m, Tripped));
    }

    private static long? Written(MapValues m, Key<long> key) => m.IsWritten(key) ? m.Get(key) : null;
}
