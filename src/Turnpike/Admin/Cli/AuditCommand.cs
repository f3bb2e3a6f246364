using System.CommandLine;
using System.Text.Json;
using Turnpike.Audit;
using Turnpike.Catalog.Document;
using Turnpike.Protocols.Signing;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike audit</c>: is the trail what was recorded, and a copy of it that verifies elsewhere.</summary>
internal static class AuditCommand
{
    public static Command Create() => new("audit", "The hash-chained, signed trail of every decision.") { Verify(), Export() };

    private static Command Verify()
    {
        var file = new Argument<string?>("file") { Description = "An export to check instead of the store.", Arity = ArgumentArity.ZeroOrOne };
        var jwks = new Option<string?>("--jwks") { Description = "The installation's public keys, as GET /.well-known/jwks.json gave them; with a file." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var verify = new Command("verify", "Recompute every node's chain and check what was signed; exit code 1 when it is broken. Works beside a running gateway.\nExample: turnpike audit verify\nExample: turnpike audit verify audit.jsonl --jwks jwks.json") { file, jwks, config, json };
        verify.SetAction((p, ct) => p.GetValue(file) is { } path
            ? Task.FromResult(VerifyFile(path, p.GetValue(jwks), p.GetValue(json), Console.Out, Console.Error, ct))
            : VerifyAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(json), Console.Out, Console.Error, ct));
        return verify;
    }

    private static Command Export()
    {
        var from = new Option<string?>("--from") { Description = "The first day or time, ISO 8601; from the beginning unless said." };
        var to = new Option<string?>("--to") { Description = "The day or time to end before; until now unless said." };
        var format = new Option<string?>("--format") { Description = "jsonl (unless said) or cloudevents." };
        var output = new Option<string?>("--out") { Description = "The file to write; standard output unless said." };
        var config = CommandRun.ConfigOption();
        var export = new Command("export", "Write the trail, one JSON object a line, verifiable offline. Works beside a running gateway.\nExample: turnpike audit export --from 2026-11-01 --to 2026-12-01 --out november.jsonl") { from, to, format, output, config };
        export.SetAction(async (p, ct) =>
        {
            await using var standard = Console.OpenStandardOutput();
            return await ExportAsync(p.GetValue(config)!, ConfigEnvironment.Process, new(p.GetValue(from), p.GetValue(to), p.GetValue(format), p.GetValue(output)), standard, Console.Error, ct);
        });
        return export;
    }

    public static Task<int> VerifyAsync(string config, ConfigEnvironment environment, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        return Tell(AuditView.Of(await books.Audit.VerifyAsync(ct)), json, output, err);
    });

    public static int VerifyFile(string path, string? jwks, bool json, TextWriter output, TextWriter err, CancellationToken ct)
    {
        try
        {
            if (jwks is null) return CommandRun.Say(err, "An export is checked with the installation's public keys: give --jwks.", CommandRun.WrongInput);
            if (JwkSet.Parse(File.ReadAllBytes(jwks)) is not { } keys) return CommandRun.Say(err, $"{jwks} is no JWK set.", CommandRun.WrongInput);
            return Tell(AuditView.Of(AuditFile.Verify(path, keys, ct)), json, output, err);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return CommandRun.Say(err, e.Message, CommandRun.WrongInput);
        }
    }

    public static Task<int> ExportAsync(string config, ConfigEnvironment environment, AuditExportOrder order, Stream standard, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        if (!AuditExport.TryTime(order.From, DateTimeOffset.UnixEpoch, out var from)) return CommandRun.Say(err, "--from is a day or a time by ISO 8601, such as 2026-11-01 or 2026-11-01T12:00:00Z.", CommandRun.WrongInput);
        if (!AuditExport.TryTime(order.To, DateTimeOffset.MaxValue, out var to)) return CommandRun.Say(err, "--to is a day or a time by ISO 8601, such as 2026-11-01 or 2026-11-01T12:00:00Z.", CommandRun.WrongInput);
        if (!AuditExport.TryFormat(order.Format, out var format)) return CommandRun.Say(err, "--format is jsonl or cloudevents.", CommandRun.WrongInput);
        using var books = CommandBooks.Look(catalog);
        await using var file = order.Out is null ? null : new FileStream(order.Out, FileMode.Create, FileAccess.Write);
        await foreach (var lines in new AuditExport(books.Database, format, catalog.Gateway.Url).LinesAsync(from, to, ct)) await (file ?? standard).WriteAsync(lines, ct);
        return CommandRun.Done;
    });

    private static int Tell(AuditView view, bool json, TextWriter output, TextWriter err)
    {
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.AuditView));
        else if (view.Intact) output.WriteLine($"The audit trail is intact: {view.Events} events.");
        if (!json)
            foreach (var chain in view.Chains) output.WriteLine($"node {chain.Node}: {chain.First} to {chain.Last}, signed up to {chain.Signed}, the last {chain.Head}{(chain.First > 1 ? $"; begins at a signed link: {chain.First - 1} before it are not here" : "")}");
        return view.Intact ? CommandRun.Done : CommandRun.Say(err, $"The audit trail is broken. {view.Broken!.Finding}", CommandRun.Failed);
    }
}

/// <summary>What <c>audit export</c> was asked for.</summary>
internal sealed record AuditExportOrder(string? From, string? To, string? Format, string? Out);
