using System.CommandLine;
using System.Text.Json;
using Turnpike.Catalog.Document;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike audit verify</c>: is the trail what was recorded?</summary>
internal static class AuditCommand
{
    public static Command Create()
    {
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var verify = new Command("verify", "Recompute every node's chain from its first link; exit code 1 when it is broken. Works beside a running gateway.\nExample: turnpike audit verify --config turnpike.yaml") { config, json };
        verify.SetAction((p, ct) => VerifyAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(json), Console.Out, Console.Error, ct));
        return new Command("audit", "The hash-chained trail of every decision.") { verify };
    }

    public static Task<int> VerifyAsync(string config, ConfigEnvironment environment, bool json, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        var view = AuditView.Of(await books.Audit.VerifyAsync(ct));
        if (json) output.WriteLine(JsonSerializer.Serialize(view, AdminJson.Readable.AuditView));
        else if (view.Intact) output.WriteLine($"The audit trail is intact: {view.Events} events{string.Concat(view.Chains.Select(chain => $", node {chain.Node} up to {chain.Events} {chain.Head}"))}.");
        if (!view.Intact) CommandRun.Say(err, $"The audit trail is broken. {view.Broken!.Finding}", CommandRun.Failed);
        return view.Intact ? CommandRun.Done : CommandRun.Failed;
    });
}
