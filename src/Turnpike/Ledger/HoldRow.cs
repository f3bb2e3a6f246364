using Turnpike.Storage;

namespace Turnpike.Ledger;

/// <summary>A hold as a row, in the column order of every query that reads one.</summary>
internal static class HoldRow
{
    public static string Text(HoldStatus status) => status switch
    {
        HoldStatus.Held => "held",
        HoldStatus.Captured => "captured",
        HoldStatus.Unknown => "unknown",
        HoldStatus.Settled => "settled",
        HoldStatus.Released => "released",
        _ => throw new ArgumentOutOfRangeException(nameof(status)),
    };

    public static HoldState Read(SqlRow row)
    {
        var legs = Legs.Read(row.Span(12));
        var currency = legs[0].Amount.Currency;
        var hold = new Hold
        {
            Id = row.Text(0),
            Legs = legs,
            Binding = row.Text(1),
            Receipt = row.Text(2),
            Correlation = row.Text(3),
            Operation = row.Text(4),
            Payer = row.Text(5),
            Caller = row.TextOrNull(6),
            Method = row.Text(7),
            PriceVersion = row.Text(8),
            Request = row.Text(9),
            Terms = row.TextOrNull(10),
            Expires = row.TimeOrNull(11),
        };
        return new HoldState(hold, Status(row.Text(13)), new Money(row.Long(14), currency), new Money(row.Long(15), currency), row.TextOrNull(16),
            row.TextOrNull(17), row.TextOrNull(18), row.TextOrNull(19), row.Long(20), row.Text(21), row.Time(22), row.Time(23)) { Outcome = (HoldOutcome)row.Long(24) };
    }

    private static HoldStatus Status(string text) => text switch
    {
        "held" => HoldStatus.Held,
        "captured" => HoldStatus.Captured,
        "unknown" => HoldStatus.Unknown,
        "settled" => HoldStatus.Settled,
        "released" => HoldStatus.Released,
        _ => throw new StorageException($"The books hold a status '{text}' this version does not know."),
    };
}
