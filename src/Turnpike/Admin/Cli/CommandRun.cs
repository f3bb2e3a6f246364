using System.CommandLine;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Storage;

namespace Turnpike.Admin.Cli;

/// <summary>What every command does around its work: reads the configuration, and turns what goes wrong into a sentence and an exit code.</summary>
internal static class CommandRun
{
    public const int Done = 0, Failed = 1, WrongInput = 2, Refused = 3;

    public static Option<string> ConfigOption() => new("--config", "-c") { Description = "The configuration file.", DefaultValueFactory = _ => "turnpike.yaml" };

    public static Option<bool> JsonOption() => new("--json") { Description = "Write the result as JSON on standard output." };

    /// <summary>Runs a command over the configuration at <paramref name="path"/>. Errors go to <paramref name="err"/>, one line each.</summary>
    public static async Task<int> RunAsync(string path, ConfigEnvironment environment, TextWriter err, Func<ServiceCatalog, Task<int>> body)
    {
        if (CatalogLoader.ReadText(path) is not { } text) return Say(err, $"{path}: the file cannot be read, or is larger than 4 MiB", WrongInput);
        var result = Language.Loader.Load(text, path, environment);
        foreach (var line in result.ErrorLines) err.WriteLine(line);
        if (result.Catalog is not { } catalog) return WrongInput;
        try
        {
            return await body(catalog);
        }
        catch (AdminRefusal refusal)
        {
            return Say(err, refusal.Message, refusal.ExitCode);
        }
        catch (Exception e) when (e is StorageException or HttpRequestException or IOException or TaskCanceledException)
        {
            return Say(err, e.Message, Failed);
        }
    }

    public static int Say(TextWriter err, string message, int code)
    {
        err.WriteLine("turnpike: " + message);
        return code;
    }
}
