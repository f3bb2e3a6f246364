using Turnpike.Audit;
using Turnpike.Ledger;

namespace Turnpike.Tests.Ledger;

/// <summary>Holds and amounts for tests, short to write.</summary>
internal static class Some
{
    public static Money Usd(long cents) => new(cents * Money.Nano / 100, "USD");

    public static Money Calls(long count) => new(count, "calls");

    public static AuditEvent Event(string kind = AuditKinds.Held, string correlation = "c-1") => new() { Kind = kind, Correlation = correlation };

    public static Hold Hold(string id, Money amount, string from = "token:a", bool limited = true, string? receipt = null, string binding = "GET /x") =>
        Hold(id, [new Leg(from, "revenue:x", amount, limited)], receipt, binding);

    public static Hold Hold(string id, IReadOnlyList<Leg> legs, string? receipt = null, string binding = "GET /x") => new()
    {
        Id = id,
        Legs = legs,
        Binding = binding,
        Receipt = receipt ?? "r-" + id,
        Correlation = "c-" + id,
        Operation = "x",
        Payer = legs[0].From,
        Method = "prepaid",
        PriceVersion = "1",
        Request = "GET /x",
        Events = [Event(AuditKinds.Held, "c-" + id)],
    };

    public static Capture Capture(string id, Money amount, string? reference = null) =>
        new(id, amount) { Reference = reference, Events = [Event(AuditKinds.Settled, "c-" + id)] };

    public static Transfer TopUp(string id, string to, Money amount) => new(id, "external:test", to, amount, "top-up", LimitedFrom: false, LimitedTo: true);
}
