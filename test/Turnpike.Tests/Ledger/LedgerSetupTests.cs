using Microsoft.Extensions.DependencyInjection;
using Turnpike.Audit;
using Turnpike.Ledger;
using Turnpike.Storage;
using Turnpike.Tests.Storage;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.Tests.Ledger;

/// <summary>Storage, audit and ledger as the host wires them.</summary>
public sealed class LedgerSetupTests
{
    [Fact]
    public async Task The_host_gets_a_ledger_and_stops_it_without_losing_an_event()
    {
        using var folder = new TemporaryFolder();
        for (var start = 1; start <= 2; start++)
        {
            await using var services = new ServiceCollection().AddStorage(folder.Options).AddAudit().AddLedger().BuildServiceProvider();
            var ledger = services.GetRequiredService<ILedger>();
            await ledger.HoldAsync(Hold($"h{start}", Usd(1), from: "external:p", limited: false), default);
            await services.GetRequiredService<IAuditTrail>().RecordAsync(Event(AuditKinds.Terms), default);
            (await ledger.UnfinishedAsync(10, default)).Count.ShouldBe(start - 1); // only what the earlier start left
        }
        using var database = Database.Open(folder.Look, TimeProvider.System);
        using var trail = new AuditTrail(database, TimeProvider.System);
        (await trail.VerifyAsync(default)).ShouldSatisfyAllConditions(report => report.Intact.ShouldBeTrue(), report => report.Events.ShouldBe(4));
    }
}
