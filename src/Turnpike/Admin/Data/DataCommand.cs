using System.CommandLine;
using System.Text.Json;
using Turnpike.Admin.Cli;
using Turnpike.Catalog.Document;
using Turnpike.Storage;

namespace Turnpike.Admin.Data;

/// <summary><c>turnpike data export|erase</c>: what is stored about somebody. Beside a running gateway, erasing goes through its Admin API.</summary>
internal static class DataCommand
{
    public static Command Create() => new("data", "What is stored about a caller, a payer, a wallet, a token or an address.") { Export(), Erase() };

    private static Argument<string> Named() => new("subject") { Description = "A caller's name, a payer as receipts name it, a wallet 0x…, token:…, or an IP address." };

    private static Command Export()
    {
        var (subject, config) = (Named(), CommandRun.ConfigOption());
        var command = new Command("export", "Write everything stored about somebody as JSON, by table.\nExample: turnpike data export agent-1 > agent-1.json") { subject, config };
        command.SetAction((p, ct) => ExportAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(subject)!, Console.Out, Console.Error, ct));
        return command;
    }

    private static Command Erase()
    {
        var (subject, config, json) = (Named(), CommandRun.ConfigOption(), CommandRun.JsonOption());
        var forfeit = new Option<bool>("--forfeit") { Description = "Erase although money is left; nobody can spend it then." };
        var command = new Command("erase", "Erase it, for good; the books stay, under a pseudonym. Exit code 3 while payments are on their way or money is left.\nExample: turnpike data erase agent-1") { subject, forfeit, config, json };
        command.SetAction((p, ct) => EraseAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(subject)!, p.GetValue(forfeit), p.GetValue(json), Console.Out, Console.Error, ct));
        return command;
    }

    public static Task<int> ExportAsync(string config, ConfigEnvironment environment, string subject, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        if (Subject.Of(subject) is not { } named) return NoName(err);
        using var books = CommandBooks.Look(catalog);
        output.WriteLine(System.Text.Encoding.UTF8.GetString(await books.Data.ExportAsync(named, subject, ct)));
        return CommandRun.Done;
    });

    public static Task<int> EraseAsync(string config, ConfigEnvironment environment, string subject, bool forfeit, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        if (Subject.Of(subject) is not { } named) return NoName(err);
        var erased = await Here() ?? await There();
        if (json) output.WriteLine(JsonSerializer.Serialize(erased, AdminJson.Readable.ErasedView));
        else
        {
            foreach (var (table, rows) in erased.Rows) output.WriteLine($"{table,-14} {rows}");
            output.WriteLine($"The books name it {erased.Pseudonym}.");
        }
        return CommandRun.Done;

        async Task<ErasedView?> Here()
        {
            try
            {
                using var books = CommandBooks.Write(catalog);
                var (done, denied) = await books.Data.EraseAsync(named, forfeit, ct);
                return done ?? throw new AdminRefusal($"{denied!.Title}. {denied.Detail}", CommandRun.Refused);
            }
            catch (StorageInUseException) { return null; }
        }

        async Task<ErasedView> There()
        {
            using var gateway = AdminClient.For(catalog.Gateway);
            return await gateway.SendAsync(HttpMethod.Delete, $"data/{Uri.EscapeDataString(subject)}?forfeit={(forfeit ? "true" : "false")}", new ReasonBody(), AdminJson.Default.ReasonBody, AdminJson.Default.ErasedView, ct);
        }
    });

    private static int NoName(TextWriter err) => CommandRun.Say(err, "The subject is a name of printable characters without spaces.", CommandRun.WrongInput);
}
