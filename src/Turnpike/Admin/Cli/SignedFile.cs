using System.Text;
using System.Text.Json;
using Turnpike.Admin.Support;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Gateway;
using Turnpike.Protocols.Signing;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike receipts verify</c>: whether an installation signed this receipt or evidence, by keys given or looked up.</summary>
internal static class SignedFile
{
    private const int MostKeys = 64 * 1024;
    private static readonly string[] Types = [SignedReceipt.Type, Evidence.Type];

    public static async Task<int> VerifyAsync(string config, ConfigEnvironment environment, string file, string? jwks, TextReader input, TextWriter output, TextWriter err, CancellationToken ct)
    {
        string text;
        try { text = (file == "-" ? await input.ReadToEndAsync(ct) : await File.ReadAllTextAsync(file, ct)).Trim(); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return CommandRun.Say(err, e.Message, CommandRun.WrongInput); }
        if (jwks is null)
            return await CommandRun.RunAsync(config, environment, err, async catalog =>
            {
                using var books = CommandBooks.Look(catalog);
                return Tell(text, await InstallationKeys.PublishedAsync(books.Installation, ct), output, err);
            });
        try { return JwkSet.Parse(await KeysAsync(jwks, ct)) is { } keys ? Tell(text, keys, output, err) : CommandRun.Say(err, $"{jwks} is no set of keys.", CommandRun.WrongInput); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return CommandRun.Say(err, e.Message, CommandRun.WrongInput); }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException) { return CommandRun.Say(err, e.Message, CommandRun.Failed); }
    }

    private static int Tell(string text, JwkSet keys, TextWriter output, TextWriter err)
    {
        if (SignedOf(text) is not { } signed) return CommandRun.Say(err, "There is no signed document in it.", CommandRun.WrongInput);
        var results = Types.Select(type => Jws.Verify(signed, type, keys)).ToList();
        if (results.Find(r => r.Payload is not null) is not { Payload: { } payload, Key: { } key }) return CommandRun.Say(err, (results.Find(r => !r.Failure!.StartsWith("The document is not a", StringComparison.Ordinal)) ?? results[0]).Failure!, CommandRun.Refused);
        output.WriteLine(Encoding.UTF8.GetString(payload));
        err.WriteLine($"It is signed by the key {key.Id}.");
        return CommandRun.Done;
    }

    /// <summary>The JWS itself, or the <c>signed</c> of a JSON receipt.</summary>
    private static string? SignedOf(string text)
    {
        if (!text.StartsWith('{')) return text.Length > 0 ? text : null;
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.TryGetProperty("signed", out var signed) ? signed.GetString() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) { return null; }
    }

    private static async Task<byte[]> KeysAsync(string jwks, CancellationToken ct)
    {
        if (!jwks.StartsWith("http://", StringComparison.Ordinal) && !jwks.StartsWith("https://", StringComparison.Ordinal)) return await File.ReadAllBytesAsync(jwks, ct);
        using var http = GuardedHttp.Create(new Uri(jwks), TimeSpan.FromSeconds(10), MostKeys);
        return await http.GetByteArrayAsync(new Uri(jwks), ct);
    }
}
