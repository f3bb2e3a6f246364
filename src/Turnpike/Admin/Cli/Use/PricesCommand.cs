using System.CommandLine;
using System.Text.Json;
using Turnpike.Pricing.Import;

namespace Turnpike.Admin.Cli.Use;

/// <summary><c>turnpike prices import</c>: a public price list as rates of ours, to be looked at and committed.</summary>
internal static class PricesCommand
{
    private const int MostBytes = 64 << 20;

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "LiteLLM's model_prices_and_context_window.json, or genai-prices' data.json." };
        var provider = new Option<string?>("--provider") { Description = "Only this provider's models, by its name in the file; all, unless said." };
        var import = new Command("import", "Write a price list's rates as YAML, to stand below an operation's price. Nothing is fetched; models that cannot be taken over exactly are left out and told.\nExample: turnpike prices import model_prices_and_context_window.json --provider openai > prices.yaml") { file, provider };
        import.SetAction(p => Import(p.GetValue(file)!, p.GetValue(provider), TimeProvider.System, Console.Out, Console.Error));
        return new Command("prices", "Price lists: versioned data, imported, never fetched while serving.") { import };
    }

    public static int Import(string file, string? provider, TimeProvider time, TextWriter output, TextWriter err)
    {
        byte[] bytes;
        try
        {
            if (new FileInfo(file) is not { Exists: true, Length: <= MostBytes }) return CommandRun.Say(err, $"{file}: the file cannot be read, or is larger than 64 MiB", CommandRun.WrongInput);
            bytes = File.ReadAllBytes(file);
            using var document = JsonDocument.Parse(bytes);
            var day = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
            if (PriceImport.Read(document.RootElement, provider, day) is not { } list) return CommandRun.Say(err, $"{file}: is neither LiteLLM's nor genai-prices' list", CommandRun.WrongInput);
            if (list.Models.Count == 0) return CommandRun.Say(err, $"{file}: has no price for a token{(provider is null ? "" : $" of '{provider}'")}", CommandRun.WrongInput);
            output.Write(PriceImport.Write(list, bytes, Path.GetFileName(file), day));
            err.WriteLine($"{list.Models.Count} models; {list.LeftOut.Count} left out, {list.Without.Count} without something the list has.");
            return CommandRun.Done;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException) { return CommandRun.Say(err, $"{file}: {e.Message}", CommandRun.WrongInput); }
    }
}
