using System.CommandLine;
using System.Text;
using Turnpike.Audit;
using Turnpike.Catalog.Document;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike keys</c>: the keys this installation signs receipts, evidence and checkpoints with.</summary>
internal static class KeysCommand
{
    public static Command Create()
    {
        var config = CommandRun.ConfigOption();
        var show = new Command("show", "Write the public keys as a JWK set, as GET /.well-known/jwks.json does. Works beside a running gateway.\nExample: turnpike keys show > jwks.json") { config };
        show.SetAction((p, ct) => ShowAsync(p.GetValue(config)!, ConfigEnvironment.Process, Console.Out, Console.Error, ct));
        var rotate = new Command("rotate", "Make a new key the one that signs, from the next start on; earlier ones stay published. Stop the gateway first.\nExample: turnpike keys rotate") { config };
        rotate.SetAction((p, ct) => RotateAsync(p.GetValue(config)!, ConfigEnvironment.Process, Console.Out, Console.Error, ct));
        return new Command("keys", "The keys this installation signs with, and keys that got out.") { show, rotate, KeyScan.Create() };
    }

    public static Task<int> ShowAsync(string config, ConfigEnvironment environment, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Look(catalog);
        output.WriteLine(Encoding.UTF8.GetString((await InstallationKeys.PublishedAsync(books.Installation, ct)).ToJson()));
        return CommandRun.Done;
    });

    public static Task<int> RotateAsync(string config, ConfigEnvironment environment, TextWriter output, TextWriter err, CancellationToken ct) => CommandRun.RunAsync(config, environment, err, async catalog =>
    {
        using var books = CommandBooks.Write(catalog);
        output.WriteLine($"The key {await InstallationKeys.RotateAsync(books.Installation, ct)} signs from the next start on.");
        return CommandRun.Done;
    });
}
