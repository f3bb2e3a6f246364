using Turnpike.Ledger;
using Turnpike.Tests.Storage;
using static Turnpike.Tests.Ledger.Some;

namespace Turnpike.Tests.Ledger;

/// <summary>What a file keeps when the process is gone without a goodbye.</summary>
public sealed class SqliteLedgerTests
{
    [Fact]
    public async Task Acknowledged_is_there_after_the_process_is_gone_without_a_goodbye()
    {
        using var running = StoredLedger.Open(new TemporaryFolder());
        await running.Ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        await running.Ledger.HoldAsync(Hold("h", Usd(40)), default);
        await running.Ledger.CaptureAsync(Capture("h", Usd(40), "tx"), default);

        // What the disk holds at this moment is what a killed process leaves: the file and its log, nobody having closed them.
        using var folder = new TemporaryFolder();
        File.Copy(running.Folder.File, folder.File);
        File.Copy(running.Folder.File + "-wal", folder.File + "-wal");
        var after = StoredLedger.Open(folder, "second");
        (await after.Ledger.FindAsync("h", default))!.Status.ShouldBe(HoldStatus.Settled);
        (await after.Ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(60));
        (await after.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
        (await after.Audit.VerifyAsync(default)).ShouldSatisfyAllConditions(report => report.Intact.ShouldBeTrue(), report => report.Events.ShouldBe(2));
        after.Close();
    }

    [Fact]
    public async Task A_log_torn_in_its_last_transaction_loses_that_transaction_whole()
    {
        using var running = StoredLedger.Open(new TemporaryFolder());
        await running.Ledger.PostAsync(TopUp("t", "token:a", Usd(100)), default);
        await running.Ledger.HoldAsync(Hold("h", Usd(40)), default);

        using var folder = new TemporaryFolder();
        File.Copy(running.Folder.File, folder.File);
        var log = await File.ReadAllBytesAsync(running.Folder.File + "-wal");
        await File.WriteAllBytesAsync(folder.File + "-wal", log[..^1000]);
        var after = StoredLedger.Open(folder, "second");
        (await after.Ledger.FindAsync("h", default)).ShouldBeNull();
        (await after.Ledger.AvailableAsync("token:a", "USD", default)).ShouldBe(Usd(100));
        (await after.Ledger.VerifyAsync(default)).Findings.ShouldBeEmpty();
        (await after.Audit.VerifyAsync(default)).Intact.ShouldBeTrue();
        after.Close();
    }
}
