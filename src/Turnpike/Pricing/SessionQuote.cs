using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Ledger;

namespace Turnpike.Pricing;

/// <summary>The quote of a price that is paid once and opens the operation for a while.</summary>
internal sealed record SessionQuote(Money Ceiling, string Version, DateTimeOffset ValidUntil, TimeSpan Lasts) : Quote(Ceiling, "session", Version, ValidUntil)
{
    /// <summary>Comes with the paid answer; sent along, it opens the operation until it ends.</summary>
    public const string Header = "Turnpike-Session", EndHeader = "Turnpike-Session-Until";

    public override string Told => $"{Ceiling} per session of {Shapes.Tell(Lasts)}: the paid answer has a {Header} header; send it with every call until it ends.";
}
