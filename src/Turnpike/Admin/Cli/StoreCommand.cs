using System.CommandLine;
using Turnpike.Catalog.Document;
using Turnpike.Storage;
using Turnpike.Storage.Copying;
using Turnpike.Storage.Postgres;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike store copy</c>: moves a whole installation to another database and proves that the books are the same.</summary>
internal static class StoreCommand
{
    public static Command Create()
    {
        var from = new Option<string>("--from") { Description = "Where the installation is, as gateway.store says it. It is only read.", Required = true };
        var to = new Option<string>("--to") { Description = "Where it shall be: a new file, or an empty database. A password is a reference, ${env:NAME} or ${file:PATH}.", Required = true };
        var copy = new Command("copy", "Copy a stopped installation, all or nothing, and verify the copy.\nExample: turnpike store copy --from sqlite:data/turnpike.db --to '${env:DATABASE_URL}'") { from, to };
        copy.SetAction((p, ct) => CopyAsync(p.GetValue(from)!, p.GetValue(to)!, ConfigEnvironment.Process, Console.Out, Console.Error, ct));
        return new Command("store", "The database of an installation.") { copy };
    }

    public static async Task<int> CopyAsync(string from, string to, ConfigEnvironment environment, TextWriter output, TextWriter err, CancellationToken ct)
    {
        if (Resolve("--from", ref from, environment) is { } wrongFrom) return CommandRun.Say(err, wrongFrom, CommandRun.WrongInput);
        if (Resolve("--to", ref to, environment) is { } wrongTo) return CommandRun.Say(err, wrongTo, CommandRun.WrongInput);
        if (from == to) return CommandRun.Say(err, "--from and --to are the same store.", CommandRun.WrongInput);
        try
        {
            using (var copy = StoreCopy.Open(from, to, TimeProvider.System))
            {
                var tables = copy.Run(table => output.WriteLine($"{table.Table,-20} {table.Rows,12} rows  {table.Digest[..16]}"), ct);
                output.WriteLine($"{tables.Sum(table => table.Rows)} rows of {tables.Count} tables are copied; each table reads the same in both stores.");
            }
            return await VerifyAsync(to, output, err, ct);
        }
        catch (Exception e) when (e is StorageException or IOException)
        {
            return CommandRun.Say(err, e.Message, CommandRun.Failed);
        }
    }

    private static async Task<int> VerifyAsync(string store, TextWriter output, TextWriter err, CancellationToken ct)
    {
        using var books = CommandBooks.Look(store);
        var (ledger, audit) = (BooksView.Of(await books.Ledger.VerifyAsync(ct)), AuditView.Of(await books.Audit.VerifyAsync(ct)));
        foreach (var finding in ledger.Findings) CommandRun.Say(err, finding, CommandRun.Failed);
        if (audit.Broken is { } broken) CommandRun.Say(err, $"The audit trail is broken. {broken.Finding}", CommandRun.Failed);
        if (!ledger.Balanced || !audit.Intact) return CommandRun.Say(err, "The copy is what the source was: what is wrong with it was wrong there.", CommandRun.Failed);
        output.WriteLine($"The books balance: {ledger.Holds} payments, {ledger.OpenHolds} of them open, {ledger.Entries} entries. The audit trail is intact: {audit.Events} events.");
        output.WriteLine("Let gateway.store name the new place from now on, and do not start on the old one again.");
        return CommandRun.Done;
    }

    // The message never repeats a location: it may hold a password.
    private static string? Resolve(string option, ref string location, ConfigEnvironment environment)
    {
        if (!References.TryResolve(location, environment, out var resolved, out var problem)) return $"{option}: {problem}";
        location = resolved.Text;
        try
        {
            var options = new StorageOptions(location);
            if (options.IsPostgres) PostgresLocation.Parse(location);
            else location = "sqlite:" + options.FilePath;
            return null;
        }
        catch (StorageException e)
        {
            return $"{option}: {e.Message}";
        }
    }
}
