using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Turnpike.Catalog.Document;

namespace Turnpike.Admin.Cli;

/// <summary>A verb whose answer only the running gateway knows: asked through its Admin API, told as lines or as JSON.</summary>
internal static class GatewayAsk
{
    public static Command Of<T>(string name, string description, Symbol[] symbols, JsonTypeInfo<T> type, Func<AdminClient, ParseResult, CancellationToken, Task<T>> ask, Func<T, IEnumerable<string>> tell)
    {
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command(name, description) { config, json };
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Arguments.Add(argument);
            else command.Options.Add((Option)symbol);
        }
        command.SetAction((p, ct) => RunAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(json), Console.Out, Console.Error, type, gateway => ask(gateway, p, ct), tell));
        return command;
    }

    public static Task<int> RunAsync<T>(string config, ConfigEnvironment environment, bool json, TextWriter output, TextWriter err, JsonTypeInfo<T> type, Func<AdminClient, Task<T>> ask, Func<T, IEnumerable<string>> tell) =>
        CommandRun.RunAsync(config, environment, err, async catalog =>
        {
            using var gateway = AdminClient.For(catalog.Gateway);
            var answer = await ask(gateway);
            if (json) output.WriteLine(JsonSerializer.Serialize(answer, type));
            else foreach (var line in tell(answer)) output.WriteLine(line);
            return CommandRun.Done;
        });
}
