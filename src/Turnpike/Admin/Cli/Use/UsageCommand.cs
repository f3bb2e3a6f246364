using System.CommandLine;
using System.Globalization;
using System.Text;
using Turnpike.Billing.Export;
using Turnpike.Catalog.Document;

namespace Turnpike.Admin.Cli.Use;

/// <summary><c>turnpike usage export</c>: the records of use as lines.</summary>
internal static class UsageCommand
{
    public static Command Create()
    {
        var config = CommandRun.ConfigOption();
        var format = new Option<string>("--format") { Description = "jsonl (CloudEvents) or csv.", DefaultValueFactory = _ => "jsonl" };
        var from = new Option<string?>("--from") { Description = "From this time on, 2026-11-01T00:00:00Z; all, unless said." };
        var to = new Option<string?>("--to") { Description = "Before this time; all, unless said." };
        var export = new Command("export", "Write the records of use to standard output, oldest first. Works beside a running gateway.\nExample: turnpike usage export --format csv --from 2026-11-01T00:00:00Z > november.csv") { config, format, from, to };
        export.SetAction((p, ct) => ExportAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(format)!, p.GetValue(from), p.GetValue(to), Console.Out, Console.Error, ct));
        return new Command("usage", "Use: what calls used, for those who bill it.") { export };
    }

    public static Task<int> ExportAsync(string config, ConfigEnvironment environment, string format, string? from, string? to, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        if (format is not ("jsonl" or "csv")) return CommandRun.Say(err, "--format is jsonl or csv.", CommandRun.WrongInput);
        if (!TryTime(from, DateTimeOffset.UnixEpoch, out var begin) || !TryTime(to, DateTimeOffset.MaxValue, out var end)) return CommandRun.Say(err, "--from and --to are times such as 2026-11-01T00:00:00Z.", CommandRun.WrongInput);
        using var books = CommandBooks.Look(catalog);
        if (format == "csv") output.Write(UsageLines.CsvHeader);
        await books.Usage.ScanAsync(begin, end, null, record => output.Write(Encoding.UTF8.GetString(format == "csv" ? UsageLines.Csv(record, record.Subject) : UsageLines.Json(record, record.Subject))), ct);
        await output.FlushAsync(ct);
        return CommandRun.Done;
    });

    private static bool TryTime(string? text, DateTimeOffset otherwise, out DateTimeOffset time)
    {
        time = otherwise;
        return text is null || DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }
}
